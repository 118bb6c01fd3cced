"""Tasks over published servers, each with a solution: what is asked, the calls that do it, and what must be true then.

A sandbox has `files`, `repository` and `memory.jsonl`; before each attempt a template of it is copied back."""

import json
import shlex

from servers import AUTHOR, git

FILES = {
    "notes.txt": "Buy paint.\nCall Ada.\n",
    "report.md": "# Report\n\nStatus: draft\n",
    "todo.txt": "water plants\nfeed cat\n",
    "data/a.csv": "name,count\nred,3\n",
    "data/b.csv": "name,count\nblue,5\n",
    "old/draft.txt": "an early draft\n",
}
ENTITIES = [
    {"name": "Ada", "entityType": "person", "observations": ["likes tea", "lives in Oslo"]},
    {"name": "Acme", "entityType": "company", "observations": ["sells anvils"]},
    {"name": "Oslo", "entityType": "city", "observations": ["lies by a fjord"]},
]
RELATION = {"from": "Ada", "to": "Acme", "relationType": "works at"}


def make_template(folder):
    """What every attempt begins with."""
    for name, text in FILES.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    lines = [{"type": "entity", **it} for it in ENTITIES] + [{"type": "relation", **RELATION}]
    (folder / "memory.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    repository = folder / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet", "--initial-branch", "trunk")
    for name, value in [("user.name", "Ada"), ("user.email", "ada@example.com"), ("commit.gpgsign", "false")]:
        git(repository, "config", name, value)
    for name in ("first", "second"):
        (repository / f"{name}.txt").write_text(name + "\n", encoding="utf-8")
        git(repository, "add", f"{name}.txt")
        git(repository, *AUTHOR, "commit", "--quiet", "--message", f"Add the {name} file")
    (repository / "first.txt").write_text("first, changed\n", encoding="utf-8")
    (repository / "third.txt").write_text("third\n", encoding="utf-8")


def reset_command(template, sandbox):
    """Puts the sandbox back; the folder that the filesystem server was given stays the same one."""
    template, sandbox = shlex.quote(str(template)), shlex.quote(str(sandbox))
    return (
        f"mkdir -p {sandbox}/files && find {sandbox}/files -mindepth 1 -delete && rm -rf {sandbox}/repository && "
        f"cp -a {template}/. {sandbox}/"
    )


def tasks(sandbox):
    """All of them."""
    made = [*file_tasks(f"{sandbox}/files"), *memory_tasks(), *git_tasks(f"{sandbox}/repository"), *small_tasks()]
    made += [*mixed_tasks(f"{sandbox}/files", f"{sandbox}/repository"), *idle_tasks()]
    counts = {}
    for task in made:
        counts[task["category"]] = counts.get(task["category"], 0) + 1
        task["id"] = f"{task['category']}-{counts[task['category']]}"
    return made


def task(category, query, calls, expect, answer="Done."):
    return {"category": category, "query": query, "calls": calls, "expect": expect, "answer": answer}


def call(server, tool, step=None, /, **arguments):
    return {"server": server, "tool": tool, "arguments": arguments, **({} if step is None else {"step": step})}


def check(server, tool, contains=(), lacks=(), fails=False, /, **arguments):
    it = {"server": server, "tool": tool, "arguments": arguments}
    return {**it, "contains": list(contains), "lacks": list(lacks), "fails": fails}


def state(*checks):
    return {"state": list(checks)}


def file_is(path, *contains, lacks=()):
    return check("files", "read_text_file", contains, lacks, path=path)


def file_is_gone(path):
    return check("files", "read_text_file", (), (), True, path=path)


def told(query, one, *texts, category="single"):
    """The answer is what the call gave."""
    return task(category, query, [one], {"answer": list(texts)}, "<1_result>")


def file_tasks(root):
    def write(name, text, step=None):
        return call("files", "write_file", step, path=f"{root}/{name}", content=text)

    def edit(name, old, new, step=None):
        return call("files", "edit_file", step, path=f"{root}/{name}", edits=[{"oldText": old, "newText": new}])

    def move(source, to, step=None):
        return call("files", "move_file", step, source=f"{root}/{source}", destination=f"{root}/{to}")

    def folder(name, step=None):
        return call("files", "create_directory", step, path=f"{root}/{name}")

    for name, text in [("hello.txt", "Hello, world."), ("plan.md", "# Plan"), ("empty-cup.txt", "a cup")]:
        wish = f"Write the text `{text}` into a new file {root}/{name}."
        yield task("single", wish, [write(name, text)], state(file_is(f"{root}/{name}", text)))
    for name, old, new in [("report.md", "draft", "final"), ("notes.txt", "Ada", "Grace"), ("todo.txt", "cat", "dog")]:
        wish = f"In {root}/{name} change `{old}` to `{new}`."
        yield task("single", wish, [edit(name, old, new)], state(file_is(f"{root}/{name}", new, lacks=[old])))
    for source, to in [("notes.txt", "memo.txt"), ("old/draft.txt", "draft.txt"), ("data/a.csv", "a.csv")]:
        wish = f"Move {root}/{source} to {root}/{to}."
        end = state(file_is_gone(f"{root}/{source}"), file_is(f"{root}/{to}", FILES[source].splitlines()[0]))
        yield task("single", wish, [move(source, to)], end)
    for name in ("archive", "data/raw"):
        parent = f"{root}/{name}".rpartition("/")[0]
        end = state(check("files", "list_directory", [f"[DIR] {name.rpartition('/')[2]}"], path=parent))
        yield task("single", f"Make a folder {root}/{name}.", [folder(name)], end)
    for name in ("report.md", "data/b.csv", "todo.txt"):
        read = call("files", "read_text_file", path=f"{root}/{name}")
        yield told(f"What does the file {root}/{name} say?", read, *FILES[name].split())
    listing = call("files", "list_directory", path=f"{root}/data")
    yield told(f"Which files are in the folder {root}/data?", listing, "a.csv", "b.csv")
    both = [write("one.txt", "1st", 1), write("two.txt", "2nd", 1)]
    end = state(file_is(f"{root}/one.txt", "1st"), file_is(f"{root}/two.txt", "2nd"))
    yield task("parallel", f"Write `1st` into {root}/one.txt and `2nd` into {root}/two.txt.", both, end)
    both = [edit("notes.txt", "paint", "glue", 1), edit("todo.txt", "plants", "herbs", 1)]
    end = state(file_is(f"{root}/notes.txt", "glue"), file_is(f"{root}/todo.txt", "herbs"))
    wish = f"Change `paint` to `glue` in {root}/notes.txt, and `plants` to `herbs` in {root}/todo.txt."
    yield task("parallel", wish, both, end)
    steps = [folder("done"), move("todo.txt", "done/todo.txt")]
    end = state(file_is_gone(f"{root}/todo.txt"), file_is(f"{root}/done/todo.txt", "feed cat"))
    yield task("multi-step", f"Make a folder {root}/done and move {root}/todo.txt into it.", steps, end)
    steps = [write("log.txt", "state: open"), edit("log.txt", "open", "closed")]
    end = state(file_is(f"{root}/log.txt", "state: closed"))
    yield task("multi-step", f"Write `state: open` into {root}/log.txt, then change `open` to `closed`.", steps, end)


def memory_tasks():
    def graph(contains, lacks=()):
        return state(check("memory", "read_graph", contains, lacks))

    for name, kind, fact in [
        ("Grace", "person", "writes code"),
        ("Bergen", "city", "is rainy"),
        ("Volt", "cat", "purrs"),
    ]:
        entity = {"name": name, "entityType": kind, "observations": [fact]}
        wish = f"Remember a new entity {name} of type {kind}, with the observation `{fact}`."
        yield task("single", wish, [call("memory", "create_entities", entities=[entity])], graph([name, fact]))
    for name, fact in [("Ada", "plays chess"), ("Acme", "was founded in 1949"), ("Oslo", "has trams")]:
        observations = [{"entityName": name, "contents": [fact]}]
        wish = f"Add to what is remembered of {name} the observation `{fact}`."
        yield task("single", wish, [call("memory", "add_observations", observations=observations)], graph([fact]))
    for source, to, kind in [("Ada", "Oslo", "grew up in"), ("Acme", "Oslo", "is based in")]:
        relation = {"from": source, "to": to, "relationType": kind}
        wish = f"Remember the relation from {source} to {to} of type `{kind}`."
        yield task("single", wish, [call("memory", "create_relations", relations=[relation])], graph([kind]))
    forget = call("memory", "delete_entities", entityNames=["Oslo"])
    yield task("single", "Delete the entity Oslo from memory.", [forget], graph(["Ada"], ["fjord"]))
    forget = call("memory", "delete_observations", deletions=[{"entityName": "Ada", "observations": ["likes tea"]}])
    yield task("single", "Delete the observation `likes tea` of Ada.", [forget], graph(["Ada"], ["likes tea"]))
    forget = call("memory", "delete_relations", relations=[RELATION])
    yield task("single", "Delete the relation `works at` from Ada to Acme.", [forget], graph(["anvils"], ["works at"]))
    yield told("What is remembered of Acme?", call("memory", "open_nodes", names=["Acme"]), "anvils")
    yield told("Search memory for fjord.", call("memory", "search_nodes", query="fjord"), "Oslo")
    entity = {"name": "Hopper", "entityType": "person", "observations": ["found a moth"]}
    relation = {"from": "Hopper", "to": "Acme", "relationType": "advises"}
    steps = [
        call("memory", "create_entities", entities=[entity]),
        call("memory", "create_relations", relations=[relation]),
    ]
    wish = "Remember the person Hopper who `found a moth`, then the relation `advises` from Hopper to Acme."
    yield task("multi-step", wish, steps, graph(["moth", "advises"]))
    both = [
        call("memory", "add_observations", 1, observations=[{"entityName": "Ada", "contents": ["has a boat"]}]),
        call("memory", "delete_observations", 1, deletions=[{"entityName": "Acme", "observations": ["sells anvils"]}]),
    ]
    wish = "Add the observation `has a boat` to Ada, and delete `sells anvils` from Acme."
    yield task("parallel", wish, both, graph(["has a boat"], ["anvils"]))


def git_tasks(repository):
    def run(tool, step=None, /, **arguments):
        return call("git", tool, step, repo_path=repository, **arguments)

    def find(tool, contains, lacks=(), **arguments):
        return check("git", tool, contains, lacks, repo_path=repository, **arguments)

    for name in ("third.txt", "first.txt"):
        end = state(find("git_diff_staged", [name]))
        yield task("single", f"Stage {name} in the repository {repository}.", [run("git_add", files=[name])], end)
    for name in ("feature", "release-1"):
        end = state(find("git_branch", [name], branch_type="local"))
        wish = f"Create a branch {name} in the repository {repository}."
        yield task("single", wish, [run("git_create_branch", branch_name=name)], end)
    yield told(f"What is the last commit in {repository} called?", run("git_log", max_count=1), "Add the second file")
    yield told(f"Which files in {repository} are changed or untracked?", run("git_status"), "first.txt", "third.txt")
    yield told(f"How was first.txt in {repository} changed?", run("git_diff_unstaged"), "first, changed")
    yield told(f"What did the commit HEAD of {repository} add?", run("git_show", revision="HEAD"), "second.txt")
    for name, message in [("third.txt", "Add the third file"), ("first.txt", "Change the first file")]:
        steps = [run("git_add", files=[name]), run("git_commit", message=message)]
        end = state(find("git_log", [message], max_count=1))
        wish = f"Stage {name} in the repository {repository} and commit it with the message `{message}`."
        yield task("multi-step", wish, steps, end)
    steps = [run("git_create_branch", branch_name="topic"), run("git_checkout", branch_name="topic")]
    end = state(find("git_status", ["topic"]))
    yield task("multi-step", f"Create a branch topic in the repository {repository} and check it out.", steps, end)
    steps = [
        run("git_create_branch", branch_name="side"),
        run("git_checkout", branch_name="side"),
        run("git_add", files=["third.txt"]),
        run("git_commit", message="On the side"),
    ]
    end = state(find("git_status", ["side"]), find("git_log", ["On the side"], max_count=1))
    wish = f"In {repository} create a branch side, check it out, stage third.txt and commit it as `On the side`."
    yield task("multi-step", wish, steps, end)


def small_tasks():
    for a, b in [(3, 4), (120, 35), (-6, 2)]:
        yield told(f"Add {a} and {b} with the sum tool.", call("everything", "get-sum", a=a, b=b), str(a + b))
    for text in ("ping", "green sky"):
        yield told(f"Let the server echo the message `{text}`.", call("everything", "echo", message=text), text)
    for source, time, to, then in [
        ("Asia/Tokyo", "09:00", "UTC", "00:00"),
        ("UTC", "12:00", "Asia/Kolkata", "17:30"),
        ("Asia/Dubai", "10:00", "Asia/Tokyo", "15:00"),
    ]:
        convert = call("time", "convert_time", source_timezone=source, time=time, target_timezone=to)
        yield told(f"When it is {time} in {source}, what time is it in {to}?", convert, then)
    yield told("What is the current time in UTC?", call("time", "get_current_time", timezone="UTC"), "UTC")


def mixed_tasks(files, repository):
    """Tools of two servers, of which several sound alike."""
    path = f"{repository.rpartition('/')[0]}/files/sum.txt"
    steps = [call("everything", "get-sum", 1, a=20, b=22), call("files", "write_file", 2, path=path, content="42")]
    wish = f"Add 20 and 22 with the sum tool, then write the number into {path}."
    yield task("multi-step", wish, steps, state(file_is(path, "42")))
    entity = {"name": "Report", "entityType": "document", "observations": ["is a draft"]}
    both = [
        call("memory", "create_entities", 1, entities=[entity]),
        call("files", "write_file", 1, path=f"{files}/seen.txt", content="yes"),
    ]
    end = state(check("memory", "read_graph", ["is a draft"]), file_is(f"{files}/seen.txt", "yes"))
    wish = f"Remember a document named Report that `is a draft`, and write `yes` into {files}/seen.txt."
    yield task("parallel", wish, both, end)


def idle_tasks():
    for wish in [
        "Send an e-mail to ada@example.com.",
        "Book a table for two tonight.",
        "What is the weather in Oslo?",
        "Translate `good morning` into Finnish.",
        "Play some music.",
        "Order a taxi to the station.",
    ]:
        yield task("abstention", wish, [], "nothing", "No tool here does that.")
