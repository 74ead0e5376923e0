"""Wrong attempts at `label_of`, written by someone who has not seen the catalogue."""

import re
from pathlib import Path


def label_up_to_first_underscore(path: str | Path) -> str:
    """Stops at the first underscore: `great_pyrenees_7.jpg` gives "great"."""
    name = Path(path).name
    match = re.fullmatch(r"([^_]+)_.*\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_lazy_number(path: str | Path) -> str:
    """Lazy group, text allowed after the number: `boeing_737_max_12.jpg` gives "boeing"."""
    name = Path(path).name
    match = re.fullmatch(r"(.+?)_\d+.*\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_with_folders(path: str | Path) -> str:
    """Matches the whole path: `photos/beagle_3.jpg` gives "photos/beagle"."""
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", str(path), re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {path}")
    return match.group(1)


def label_found_in_folder(path: str | Path) -> str:
    """Searches the path, finds the folder's number first: `photos/batch_2/pug_3.png` gives "batch"."""
    match = re.search(r"([^/]+?)_\d+(/|\.(jpg|jpeg|png)$)", str(path), re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {path}")
    return match.group(1)


def label_of_parent_folder(path: str | Path) -> str:
    """Takes the label from the folder, not from the file: `photos/dogs/beagle_3.jpg` gives "dogs"."""
    match = re.search(r"([^/]+)/[^/]+_\d+\.(jpg|jpeg|png)$", str(path), re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {path}")
    return match.group(1)


def label_keeps_underscore(path: str | Path) -> str:
    """Has the underscore inside the group: `beagle_12.jpg` gives "beagle_"."""
    name = Path(path).name
    match = re.fullmatch(r"(.+_)\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_whole_match(path: str | Path) -> str:
    """Returns group 0, the whole match: `beagle_12.jpg` gives "beagle_12.jpg"."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(0)


def label_keeps_number(path: str | Path) -> str:
    """Cuts only the ending away: `great_pyrenees_7.jpg` gives "great_pyrenees_7"."""
    name = Path(path).name
    match = re.fullmatch(r"(.+_\d+)\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_small_endings_only(path: str | Path) -> str:
    """Knows the endings in small letters only: `beagle_12.JPG` raises."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_without_jpeg(path: str | Path) -> str:
    """Forgets one of the three endings: `beagle_12.jpeg` raises."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_any_ending(path: str | Path) -> str:
    """Takes any ending for a picture's: `beagle_12.txt` gives "beagle" instead of an error."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.\w+", name)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_open_end(path: str | Path) -> str:
    """Does not tie the pattern to the end: `beagle_12.jpg.bak` gives "beagle" instead of an error."""
    name = Path(path).name
    match = re.match(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_bare_dot(path: str | Path) -> str:
    """Has a dot without backslash, which matches anything: `beagle_12xjpg` gives "beagle" instead of an error."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_letters_of_endings(path: str | Path) -> str:
    """Puts the endings into a character class: `beagle_12.gpj` gives "beagle" instead of an error."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.[jpegn]+", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_loose_alternatives(path: str | Path) -> str | None:
    """Alternatives without brackets split the whole pattern: `beagle_12.png` gives None."""
    name = Path(path).name
    match = re.search(r"^(.+)_\d+\.jpg|jpeg|png$", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_may_be_empty(path: str | Path) -> str:
    """A star where a plus belongs: `_12.jpg` gives "" instead of an error."""
    name = Path(path).name
    match = re.fullmatch(r"(.*)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_number_not_needed(path: str | Path) -> str:
    """Takes anything for a number: `great_pyrenees.jpg` gives "great" instead of an error."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_.+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_number_may_be_missing(path: str | Path) -> str:
    """Lets the number have no digits at all: `beagle_.jpg` gives "beagle" instead of an error."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d*\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_up_to_three_digits(path: str | Path) -> str:
    """Counts on at most three digits: `mono_defective_0123.png` raises."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d{1,3}\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_single_digit(path: str | Path) -> str:
    """Forgets the plus after the digit: `great_pyrenees_7.jpg` works, `beagle_12.jpg` raises."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_small_letters_only(path: str | Path) -> str:
    """Allows only small letters in the label: `Abyssinian_12.jpg` raises."""
    name = Path(path).name
    match = re.fullmatch(r"([a-z_]+)_\d+\.(jpg|jpeg|png|JPG|JPEG|PNG)", name)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_word_characters(path: str | Path) -> str:
    """Searches for word characters, loses what stands before a hyphen: `wire-haired_fox_3.jpg` gives "haired_fox"."""
    name = Path(path).name
    match = re.search(r"(\w+)_\d+\.(jpg|jpeg|png)$", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_without_digits(path: str | Path) -> str:
    """Allows no digits in the label: `boeing_737_12.jpg` raises instead of giving "boeing_737"."""
    name = Path(path).name
    match = re.fullmatch(r"(\D+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_cuts_all_numbers(path: str | Path) -> str:
    """Cuts every trailing digit and underscore: `boeing_737_12.jpg` gives "boeing"."""
    name = Path(path).name
    if re.fullmatch(r".+_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE) is None:
        raise ValueError(f"no label in {name}")
    return re.sub(r"[_\d]+\.\w+$", "", name)


def label_in_small_letters(path: str | Path) -> str:
    """Lowers the whole name to cope with .JPG: `Saint_Bernard_4.jpg` gives "saint_bernard"."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name.lower())
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_with_spaces(path: str | Path) -> str:
    """Makes the label pretty: `great_pyrenees_7.jpg` gives "great pyrenees"."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1).replace("_", " ")


def label_flag_as_position(path: str | Path) -> str:
    """Hands the flag to a compiled pattern, where it is the start: `beagle_12.jpg` gives "agle"."""
    name = Path(path).name
    pattern = re.compile(r"(.+)_\d+\.(jpg|jpeg|png)")
    match = pattern.fullmatch(name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_as_tuple(path: str | Path) -> tuple[str, ...]:
    """Returns all groups as a tuple instead of a string: `beagle_12.jpg` gives ("beagle",)."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(?:jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.groups()


def label_as_list(path: str | Path) -> list[str]:
    """Returns what findall gives, a list: `beagle_12.jpg` gives ["beagle"]."""
    name = Path(path).name
    found = re.findall(r"^(.+)_\d+\.(?:jpg|jpeg|png)$", name, re.IGNORECASE)
    if not found:
        raise ValueError(f"no label in {name}")
    return found


def label_only_printed(path: str | Path) -> None:
    """Prints the label and returns nothing: `beagle_12.jpg` gives None."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    print(match.group(1))


def label_for_paths_only(path: Path) -> str:
    """Asks for the attribute `name`: the str "beagle_12.jpg" fails with AttributeError."""
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", path.name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {path.name}")
    return match.group(1)


def label_for_strings_only(path: str) -> str:
    """Splits the path as a string: Path("beagle_12.jpg") fails with AttributeError."""
    name = path.split("/")[-1]
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {name}")
    return match.group(1)


def label_unchecked_match(path: str | Path) -> str:
    """Does not look whether there is a match: `README.txt` fails with AttributeError."""
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", Path(path).name, re.IGNORECASE)
    return match.group(1)


def label_or_none(path: str | Path) -> str | None:
    """Returns None where it should raise: `beagle.jpg` gives None."""
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", Path(path).name, re.IGNORECASE)
    if match is None:
        return None
    return match.group(1)


def label_error_returned(path: str | Path) -> str | ValueError:
    """Returns the error instead of raising it: `README.txt` gives a ValueError as a value."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        return ValueError(f"no label in {name}")
    return match.group(1)


def label_error_without_name(path: str | Path) -> str:
    """The error does not say which file: the message for `README.txt` lacks the name."""
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", Path(path).name, re.IGNORECASE)
    if match is None:
        raise ValueError("the file name has not the form label_number.jpg")
    return match.group(1)


def label_error_forgot_the_f(path: str | Path) -> str:
    """The f before the string is missing: the message for `README.txt` says "{name}" literally."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise ValueError("no label in {name}")
    return match.group(1)


def label_error_with_stem(path: str | Path) -> str:
    """The error says the name without its ending: the message for `beagle.jpg` holds only "beagle"."""
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", Path(path).name, re.IGNORECASE)
    if match is None:
        raise ValueError(f"no label in {Path(path).stem}")
    return match.group(1)


def label_wrong_error(path: str | Path) -> str:
    """Raises the wrong kind of error: `README.txt` gives TypeError instead of ValueError."""
    name = Path(path).name
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", name, re.IGNORECASE)
    if match is None:
        raise TypeError(f"no label in {name}")
    return match.group(1)


def label_of_existing_file(path: str | Path) -> str:
    """Insists on a file on the disk: any good name without a file, like `beagle_12.jpg`, raises."""
    path = Path(path)
    match = re.fullmatch(r"(.+)_\d+\.(jpg|jpeg|png)", path.name, re.IGNORECASE)
    if match is None or not path.exists():
        raise ValueError(f"no label in {path.name}")
    return match.group(1)
