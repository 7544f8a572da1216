"""Word: lists, their numbers, and what belongs to an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awkward import check_promises, word_bytes

from rag.loaders import load_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from docx.document import Document as WordDocument

    from rag.types import Document


def load(make: Callable[[WordDocument], None]) -> Document:
    document = load_bytes(word_bytes(make), "policies/travel_rules.docx")
    check_promises(document)
    return document


def test_numbered_entries_count_as_word_counts() -> None:
    def make(word: WordDocument) -> None:
        for text in ("First.", "Second.", "Third."):
            word.add_paragraph(text, style="List Number")

    assert load(make).text == "1. First.\n2. Second.\n3. Third."


def test_numbering_with_several_levels_and_forms() -> None:
    def make(word: WordDocument) -> None:
        numbering = word.part.numbering_part.element
        levels = "".join(
            f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            f'<w:lvlText w:val="{pattern}"/></w:lvl>'
            for depth, (form, pattern) in enumerate(
                [
                    ("decimal", "%1."),
                    ("decimal", "%1.%2"),
                    ("lowerLetter", "(%3)"),
                    ("upperRoman", "%4."),
                ]
            )
        )
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls

        numbering.insert(
            0,
            parse_xml(
                f'<w:abstractNum {nsdecls("w")} w:abstractNumId="99">{levels}</w:abstractNum>'
            ),
        )
        numbering.append(
            parse_xml(f'<w:num {nsdecls("w")} w:numId="99"><w:abstractNumId w:val="99"/></w:num>')
        )
        for depth, text in (
            (0, "A"),
            (1, "B"),
            (1, "C"),
            (2, "D"),
            (2, "E"),
            (0, "F"),
            (1, "G"),
            (3, "H"),
        ):
            paragraph = word.add_paragraph(text)
            properties = paragraph._p.get_or_add_pPr()
            number = properties._add_numPr()
            number.get_or_add_ilvl().val = depth
            number.get_or_add_numId().val = 99

    assert [line.strip() for line in load(make).text.split("\n")] == [
        "1. A",
        "1.1 B",
        "1.2 C",
        "(a) D",
        "(b) E",
        "2. F",
        "2.1 G",
        "I. H",
    ]


def test_lists_of_one_definition_count_on_unless_one_says_where_it_starts() -> None:
    def make(word: WordDocument) -> None:
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls

        numbering = word.part.numbering_part.element
        level = '<w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
        numbering.insert(
            0,
            parse_xml(
                f'<w:abstractNum {nsdecls("w")} w:abstractNumId="99">{level}</w:abstractNum>'
            ),
        )
        override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>'
        for number, more in ((97, ""), (98, ""), (99, override)):
            numbering.append(
                parse_xml(
                    f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="99"/>'
                    f"{more}</w:num>"
                )
            )
        for number, text in ((97, "A"), (98, "B"), (99, "C"), (99, "D"), (97, "E")):
            paragraph = word.add_paragraph(text)
            paragraph._p.get_or_add_pPr()._add_numPr().get_or_add_numId().val = number

    assert load(make).text == "1. A\n2. B\n5. C\n6. D\n7. E"


def test_raised_and_lowered_figures_are_no_part_of_a_number() -> None:
    def make(word: WordDocument) -> None:
        paragraph = word.add_paragraph("The berth costs EUR 250")
        paragraph.add_run("3").font.superscript = True
        paragraph.add_run(" from the 1")
        paragraph.add_run("st").font.superscript = True
        paragraph.add_run(" of May. No CO")
        paragraph.add_run("2").font.subscript = True
        paragraph.add_run(" bottles.")

    assert load(make).text == "The berth costs EUR 250³ from the 1st of May. No CO₂ bottles."
