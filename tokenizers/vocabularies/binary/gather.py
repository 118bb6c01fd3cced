"""Downloads the executables that `sources.toml` lists and sorts them into train/PLATFORM and held-out/PLATFORM.

usage: python3 gather.py FOLDER DEBIAN_MIRROR

Needs apt-get, dpkg-deb, npm and pip. Nothing that is downloaded is installed or run. MANIFEST.tsv in the folder then has one
line a package: part, platform, package, version, files and bytes. A second run goes on where the first one stopped.
"""

import collections
import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import tomllib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = tomllib.loads((HERE / "sources.toml").read_text())
PACKAGES_AT_ONCE = 40
ELF_MACHINES = {62: "elf-x64", 183: "elf-arm64", 40: "elf-arm", 3: "elf-x86", 243: "elf-riscv64", 21: "elf-ppc64", 22: "elf-s390x", 8: "elf-mips64"}
PE_MACHINES = {0x14C: "pe-x86", 0x8664: "pe-x64", 0xAA64: "pe-arm64"}
MACHO_MACHINES = {0x0100000C: "macho-arm64", 0x01000007: "macho-x64"}


def platform_of(data):
    """Names what kind of executable the bytes are; None for anything else."""
    if data[:4] == b"\x7fELF" and len(data) > 20:
        order = "<" if data[5] == 1 else ">"
        return ELF_MACHINES.get(struct.unpack_from(order + "H", data, 18)[0])
    if data[:2] == b"MZ" and len(data) > 0x40:
        at = struct.unpack_from("<I", data, 0x3C)[0]
        if data[at : at + 4] == b"PE\0\0" and at + 248 < len(data):
            magic = struct.unpack_from("<H", data, at + 24)[0]
            clr = struct.unpack_from("<I", data, at + 24 + (208 if magic == 0x10B else 224))[0]
            return "dotnet" if clr else PE_MACHINES.get(struct.unpack_from("<H", data, at + 4)[0])
    if data[:4] == b"\xcf\xfa\xed\xfe":
        return MACHO_MACHINES.get(struct.unpack_from("<I", data, 4)[0])
    if data[:4] == b"\xca\xfe\xba\xbe" and struct.unpack_from(">I", data, 4)[0] < 10:
        return "macho-fat"
    return "wasm" if data[:4] == b"\0asm" else None


def thin(data):
    """The first part of a Mach-O file for several processors."""
    _, _, offset, size, _ = struct.unpack_from(">5I", data, 8)
    return data[offset : offset + size]


class Corpus:
    """The folder that is filled."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = folder / "MANIFEST.tsv"
        self.seen = set()
        self.lock = threading.Lock()
        self.known = set(self.manifest.read_text().splitlines()) if self.manifest.exists() else set()

    def has(self, package):
        return any(line.split("\t")[2] == package for line in self.known)

    def add(self, project, package, version, members):
        with self.lock:
            self.add_locked(project, package, version, members)

    def add_locked(self, project, package, version, members):
        """Keeps the executables among (name, bytes), in the order of their hashes, up to the limit of a package."""
        held = hashlib.sha256(project.encode()).digest()[0] < SOURCES["held_out_below"]
        part = "held-out" if held else "train"
        counts = collections.Counter()
        sizes = collections.Counter()
        for digest, data in sorted((hashlib.sha256(data).hexdigest(), data) for data in members):
            platform = platform_of(data)
            if platform == "macho-fat":
                data = thin(data)
                platform = platform_of(data)
            fits = platform and sizes[platform] + len(data) <= SOURCES["most_bytes_a_package"]
            if platform and not fits and sizes[platform] == 0:
                data = data[: SOURCES["most_bytes_a_package"]]
                fits = True
            if not fits or len(data) < SOURCES["least_bytes_a_file"] or digest in self.seen:
                continue
            self.seen.add(digest)
            to = self.folder / part / platform / package.replace("/", "+").replace("@", "")
            to.mkdir(parents=True, exist_ok=True)
            (to / digest[:16]).write_bytes(data)
            counts[platform] += 1
            sizes[platform] += len(data)
        with self.manifest.open("a") as out:
            for platform in sorted(sizes) or ["none"]:
                row = [part, platform, package, version, str(counts[platform]), str(sizes[platform])]
                out.write("\t".join(row) + "\n")


def files_below(folder):
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.read_bytes()


def batches(names):
    return [names[at : at + PACKAGES_AT_ONCE] for at in range(0, len(names), PACKAGES_AT_ONCE)]


class Debian:
    """One architecture of one suite, with package lists of its own."""

    def __init__(self, folder, mirror, suite, arch):
        self.root = folder / "apt" / suite / arch
        for name in ["lists/partial", "cache/archives/partial", "etc"]:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "status").touch()
        (self.root / "etc/sources.list").write_text(f"deb [trusted=yes] {mirror} {suite} main\n")
        root = self.root
        self.options = [
            f"-oAPT::Architecture={arch}", f"-oAPT::Architectures={arch}", f"-oDir::State={root}",
            f"-oDir::State::Lists={root}/lists", f"-oDir::State::status={root}/status", f"-oDir::Cache={root}/cache",
            f"-oDir::Etc::SourceList={root}/etc/sources.list", "-oDir::Etc::SourceParts=/dev/null",
            "-oAcquire::Languages=none",
        ]  # fmt: skip

    def versions(self):
        """What the suite has, by name."""
        subprocess.run(["apt-get", *self.options, "-qq", "update"], check=True)
        dump = subprocess.run(["apt-cache", *self.options, "dumpavail"], check=True, capture_output=True, text=True)
        found, name = {}, None
        for line in dump.stdout.splitlines():
            if line.startswith("Package: "):
                name = line[9:]
            elif line.startswith("Version: "):
                found[name] = line[9:]
        return found

    def take(self, corpus, names):
        found = self.versions()
        wanted = {}
        for project in names:
            name = next((it for it in [project, project + "t64"] if it in found), None)
            if name and not corpus.has(f"{name}:{self.root.name}"):
                wanted[name] = project
        for some in batches(list(wanted)):
            with tempfile.TemporaryDirectory() as room:
                subprocess.run(["apt-get", *self.options, "-qq", "download", *some], cwd=room, stderr=subprocess.DEVNULL)
                for deb in sorted(pathlib.Path(room).glob("*.deb")):
                    name = deb.name.split("_")[0]
                    unpacked = pathlib.Path(room) / "unpacked"
                    subprocess.run(["dpkg-deb", "-x", deb, unpacked], check=True)
                    corpus.add(wanted[name], f"{name}:{self.root.name}", found[name], files_below(unpacked))
                    shutil.rmtree(unpacked)


def npm(corpus, project, package):
    if corpus.has(package):
        return
    with tempfile.TemporaryDirectory() as room:
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--json", package]
        made = subprocess.run(command, cwd=room, capture_output=True, text=True)
        archives = list(pathlib.Path(room).glob("*.tgz"))
        if made.returncode or not archives:
            print(f"npm has no `{package}`", file=sys.stderr)
            return
        with tarfile.open(archives[0]) as archive:
            members = [archive.extractfile(it).read() for it in archive.getmembers() if it.isfile()]
        corpus.add(project, package, json.loads(made.stdout)[0]["version"], members)


def wheel(corpus, package, platform, tags):
    label = f"{package}:{platform}"
    if corpus.has(label):
        return
    with tempfile.TemporaryDirectory() as room:
        flags = [flag for tag in tags for flag in ["--platform", tag]]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--python-version", "312"]
        made = subprocess.run([*command, *flags, "-d", room, package], capture_output=True)
        wheels = list(pathlib.Path(room).glob("*.whl"))
        if made.returncode or not wheels:
            print(f"PyPI has no `{package}` for {platform}", file=sys.stderr)
            return
        with zipfile.ZipFile(wheels[0]) as archive:
            members = [archive.read(it) for it in archive.infolist() if not it.is_dir()]
        corpus.add(package, label, wheels[0].name.split("-")[1], members)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(folder)
    for project, packages in SOURCES["npm"].items():
        for package in packages:
            npm(corpus, project, package)
    for package in SOURCES["pypi"]["packages"].split():
        for platform, tags in SOURCES["pypi"]["platforms"].items():
            wheel(corpus, package, platform, tags)
    for section in ["debian-pe", "debian"]:
        names = SOURCES[section]["packages"].split()
        suites = SOURCES[section]["suites"].items()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(Debian(folder, sys.argv[2], suite, arch).take, corpus, names) for suite, arches in suites for arch in arches]
            for job in jobs:
                job.result()
    shutil.rmtree(folder / "apt")


main()
