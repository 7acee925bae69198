"""Reading and writing the elements of OpenSim's XML documents, without OpenSim."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from pipeline.data.errors import UserError
from pipeline.io.atomic import atomic_text

#: Version of the documents we write: OpenSim 4.0 and later read it.
DOCUMENT_VERSION = "40000"


def read_document(path: Path, tag: str) -> Element:
    """The one element ``tag`` of a document; UserError where there is none."""
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {(error.strerror or '').lower()}.") from error
    except (ElementTree.ParseError, ValueError) as error:
        # ValueError: an encoding that is not known.
        raise UserError(f"{path} is no XML document that can be read: {error}.") from error
    found = root if root.tag == tag else root.find(tag)
    if found is None:
        raise UserError(f"{path} holds no {tag}.")
    return found


def write_document(path: Path, content: Element) -> None:
    """An OpenSim document of one element; it takes its place whole or not at all."""
    root = Element("OpenSimDocument", Version=DOCUMENT_VERSION)
    root.append(content)
    ElementTree.indent(root, "\t")
    with atomic_text(path) as handle:
        handle.write('<?xml version="1.0" encoding="UTF-8" ?>\n')
        handle.write(ElementTree.tostring(root, encoding="unicode") + "\n")


def add(parent: Element, tag: str, value: object) -> None:
    """A child with a value; none for ``None``. Tuples are set apart by spaces."""
    if value is None:
        return
    SubElement(parent, tag).text = _text_of(value)


def add_set(parent: Element, tag: str) -> Element:
    """An empty set of objects to append to."""
    the_set = SubElement(parent, tag)
    objects = SubElement(the_set, "objects")
    SubElement(the_set, "groups")
    return objects


def _text_of(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(_text_of(one) for one in value)
    if isinstance(value, float):
        return repr(float(value)).replace("inf", "Inf").replace("nan", "NaN")
    return str(value)


def objects_of(parent: Element, tag: str, kind: str) -> Iterator[Element]:
    """The objects of one kind in a set, in order; none where there is no such set."""
    yield from parent.findall(f"{tag}/objects/{kind}")


def text_of(parent: Element, tag: str, default: str = "") -> str:
    """The text of a child; OpenSim's word for nothing, ``Unassigned``, counts as nothing."""
    text = (parent.findtext(tag) or "").strip()
    return default if text in {"", "Unassigned"} else text


def file_of(document: Path, parent: Element, tag: str) -> Path | None:
    """The file a child names, looked for beside the document as OpenSim does."""
    text = text_of(parent, tag)
    return document.resolve().parent / Path(text.replace("\\", "/")) if text else None


def flag_of(document: Path, parent: Element, tag: str, default: bool) -> bool:
    """A child that is true or false."""
    text = text_of(parent, tag, str(default)).lower()
    if text not in {"true", "false"}:
        raise UserError(f"{document} has {text!r} for {_where(parent, tag)}, not true or false.")
    return text == "true"


def numbers_of(document: Path, parent: Element, tag: str, count: int) -> tuple[float, ...] | None:
    """The numbers of a child; None where it is missing."""
    text = text_of(parent, tag)
    if not text:
        return None
    try:
        numbers = tuple(float(word) for word in text.split())
    except ValueError as error:
        raise UserError(
            f"{document} has {text!r} for {_where(parent, tag)}, which is no number."
        ) from error
    if len(numbers) != count:
        raise UserError(
            f"{document} has {len(numbers)} numbers for {_where(parent, tag)}, not {count}."
        )
    return numbers


def number_of(document: Path, parent: Element, tag: str, default: float) -> float:
    """The number of a child."""
    numbers = numbers_of(document, parent, tag, 1)
    return default if numbers is None else numbers[0]


def range_of(document: Path, parent: Element) -> tuple[float, float] | None:
    """The ``time_range`` in seconds; None where it is missing."""
    numbers = numbers_of(document, parent, "time_range", 2)
    return None if numbers is None else (numbers[0], numbers[1])


def name_of(document: Path, element: Element) -> str:
    """The name of an object, which it must have."""
    name = element.get("name", "").strip()
    if not name:
        raise UserError(f"{document} has a {element.tag} without a name.")
    return name


def _where(parent: Element, tag: str) -> str:
    return f"{tag} of {parent.get('name') or parent.tag}"
