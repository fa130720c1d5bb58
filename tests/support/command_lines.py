"""The commands of the programs, with their options, as their own --help tells them."""
import re
import subprocess


def help_of(program, *words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def section(text, heading):
    """The lines of an indented list under a heading; a name that is alone in its line goes with the next."""
    found = re.search(rf"^{heading}:\n((?:  .*\n?|)*)", text, re.MULTILINE)
    return re.findall(r"^  (?! )(\S.*)$", found.group(1), re.MULTILINE) if found else []


# Of lists of commands: the users' of `granary`, and CLI11's own.
HEADINGS = ("Operators", "Projects and finance", "Portals and importers", "Subcommands")


class Command:
    """`words`: what follows the program's name."""
    def __init__(self, program, words):
        self.program, self.words = program, words
        text = help_of(program, *words)
        self.subcommands = [line.split()[0] for heading in HEADINGS for line in section(text, heading)]
        self.positionals = [line.split()[0] for line in section(text, "Positionals")]
        self.values, self.flags = {}, []  # of a value what it says behind its name
        for line in section(text, "Options"):
            names, _, rest = line.partition(" ")
            name = names.split(",")[-1]
            if re.match(r"(TEXT|INT|UINT|FLOAT|[A-Z]+:)", rest):
                self.values[name] = rest
            else:
                self.flags.append(name)

    @property
    def name(self):
        return " ".join(self.words)


def commands(program, words=()):
    """Every command of a program that can be run, those in groups too."""
    one = Command(program, list(words))
    if not one.subcommands:
        return [one]
    return [command for name in one.subcommands for command in commands(program, [*words, name])]
