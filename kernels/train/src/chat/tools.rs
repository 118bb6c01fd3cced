//! The tools that transcripts call.

use super::tool::{Fill, Slot, Tool};

const fn slot(name: &'static str, about: &'static str, fill: Fill) -> Slot {
    Slot { name, about, fill }
}

const CITIES: Fill = Fill::Of(&[
    "Paris", "Berlin", "Oslo", "Madrid", "Rome", "Vienna", "Prague", "Lisbon", "Dublin", "Athens", "Tokyo", "Cairo",
    "Lima", "Boston", "Toronto", "Sydney", "Nairobi", "Seoul", "Zurich", "Helsinki",
]);
const SKIES: Fill = Fill::Of(&["sunny", "cloudy", "rainy", "windy", "snowy", "foggy"]);
const TOPICS: Fill = Fill::Of(&[
    "timeout",
    "retry policy",
    "login error",
    "invoice",
    "memory leak",
    "token budget",
    "release notes",
    "backup",
    "rate limit",
    "data export",
    "unit tests",
    "error handling",
    "deployment",
    "access rights",
]);
const COMMANDS: Fill = Fill::Of(&["cargo test", "cargo build", "pytest", "ls", "git status", "npm test", "make", "df"]);
const STATES: Fill = Fill::Of(&["open", "closed", "pending", "shipped", "failed", "ready"]);
const CURRENCIES: Fill = Fill::Of(&["EUR", "USD", "GBP", "CHF", "JPY", "SEK"]);
const BRANCHES: Fill = Fill::Of(&["main", "develop", "release", "feature/login", "fix/cache", "docs"]);
const LANGUAGES: Fill = Fill::Of(&["French", "German", "Spanish", "Italian", "Polish", "Dutch"]);
const WORDS: Fill = Fill::Of(&["good morning", "thank you", "the house", "see you soon", "one moment", "welcome"]);
const TRANSLATED: Fill = Fill::Of(&["bonjour", "danke", "gracias", "prego", "dom", "welkom", "la casa", "bis bald"]);

/// All of them.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_weather",
        about: "Current weather in a city",
        arguments: &[slot("city", "Name of the city", CITIES)],
        facts: &[slot("sky", "", SKIES), slot("celsius", "", Fill::Number(-12, 38))],
        asks: &[
            "What is the weather in {city}?",
            "How is the weather in {city} today?",
            "Is it warm in {city}?",
            "weather {city}",
            "Do I need a coat in {city}?",
        ],
        answers: &["It is {sky} in {city}, {celsius} degrees.", "{city} is {sky} today with {celsius} degrees."],
    },
    Tool {
        name: "read_file",
        about: "Read a text file",
        arguments: &[slot("path", "Path of the file", Fill::Path)],
        facts: &[slot("lines", "", Fill::Number(3, 900)), slot("topic", "", TOPICS)],
        asks: &["Read {path}", "What is in {path}?", "Open {path} and tell me what it is about.", "Show me {path}."],
        answers: &[
            "{path} has {lines} lines and is about {topic}.",
            "The file {path} is about {topic} ({lines} lines).",
        ],
    },
    Tool {
        name: "search_files",
        about: "Search for text in the files of a folder",
        arguments: &[
            slot("query", "Text to look for", TOPICS),
            slot("limit", "Number of results at most", Fill::Number(1, 50)),
        ],
        facts: &[slot("path", "", Fill::Path), slot("line", "", Fill::Number(1, 400))],
        asks: &[
            "Search the files for {query}, at most {limit} results.",
            "Find {query} in the project (limit {limit}).",
            "Where is {query}? Show {limit} results.",
        ],
        answers: &["I found {query} in {path}, line {line}.", "{path}:{line} mentions {query}."],
    },
    Tool {
        name: "run_command",
        about: "Run a command in the shell",
        arguments: &[slot("command", "The command", COMMANDS)],
        facts: &[slot("exit_code", "", Fill::Number(0, 2)), slot("seconds", "", Fill::Number(1, 90))],
        asks: &["Run {command}.", "Please run {command} for me.", "Execute {command} and tell me the exit code."],
        answers: &["{command} ended with code {exit_code} after {seconds} seconds."],
    },
    Tool {
        name: "send_email",
        about: "Send an email",
        arguments: &[slot("to", "Address", Fill::Email), slot("subject", "Subject", TOPICS)],
        facts: &[slot("message_id", "", Fill::Hex)],
        asks: &["Send an email to {to} about {subject}.", "Write to {to}, subject {subject}.", "Mail {to}: {subject}"],
        answers: &["I sent the email about {subject} to {to}.", "Done. The message to {to} is {message_id}."],
    },
    Tool {
        name: "create_event",
        about: "Put an event in the calendar",
        arguments: &[
            slot("title", "Title of the event", TOPICS),
            slot("date", "Day, as YYYY-MM-DD", Fill::Date),
            slot("time", "Start, as HH:MM", Fill::Time),
        ],
        facts: &[slot("event_id", "", Fill::Number(100, 9999))],
        asks: &["Plan a meeting about {title} on {date} at {time}.", "Add {title} to my calendar, {date}, {time}."],
        answers: &[
            "{title} is in your calendar on {date} at {time}.",
            "Event {event_id} is planned for {date}, {time}.",
        ],
    },
    Tool {
        name: "convert_currency",
        about: "Convert an amount of money",
        arguments: &[
            slot("amount", "Amount", Fill::Number(1, 5000)),
            slot("from", "Currency of the amount", CURRENCIES),
            slot("to", "Currency that is wanted", CURRENCIES),
        ],
        facts: &[slot("result", "", Fill::Number(1, 9000))],
        asks: &["How much is {amount} {from} in {to}?", "Convert {amount} {from} to {to}.", "{amount} {from} in {to}"],
        answers: &["{amount} {from} is {result} {to}."],
    },
    Tool {
        name: "get_order",
        about: "Look up an order",
        arguments: &[slot("order_id", "Number of the order", Fill::Number(1000, 99_999))],
        facts: &[slot("state", "", STATES), slot("date", "", Fill::Date)],
        asks: &["Where is order {order_id}?", "What is the state of order {order_id}?", "Check order {order_id}."],
        answers: &["Order {order_id} is {state} since {date}."],
    },
    Tool {
        name: "list_issues",
        about: "List issues of the repository",
        arguments: &[
            slot("state", "State of the issues", Fill::Of(&["open", "closed", "all"])),
            slot("label", "Label", Fill::Of(&["bug", "docs", "feature", "question", "security"])),
        ],
        facts: &[slot("count", "", Fill::Number(0, 60)), slot("first", "", TOPICS)],
        asks: &["List {state} issues with label {label}.", "How many {state} {label} issues are there?"],
        answers: &["There are {count} {state} issues with label {label}; the first is about {first}."],
    },
    Tool {
        name: "git_log",
        about: "Last commits of a branch",
        arguments: &[slot("branch", "Branch", BRANCHES), slot("count", "Commits", Fill::Number(1, 20))],
        facts: &[slot("commit", "", Fill::Hex), slot("subject", "", TOPICS)],
        asks: &["Show the last {count} commits of {branch}.", "What happened on {branch}? Last {count} commits."],
        answers: &["The last commit on {branch} is {commit}, about {subject}."],
    },
    Tool {
        name: "translate",
        about: "Translate a text",
        arguments: &[slot("text", "The text", WORDS), slot("language", "Language that is wanted", LANGUAGES)],
        facts: &[slot("translation", "", TRANSLATED)],
        asks: &["Translate \"{text}\" to {language}.", "How do you say \"{text}\" in {language}?"],
        answers: &["\"{text}\" in {language} is \"{translation}\"."],
    },
    Tool {
        name: "get_time",
        about: "Time in a city",
        arguments: &[slot("city", "Name of the city", CITIES)],
        facts: &[slot("time", "", Fill::Time)],
        asks: &["What time is it in {city}?", "Time in {city}?", "How late is it in {city} now?"],
        answers: &["It is {time} in {city}.", "In {city} it is {time}."],
    },
];
