"""The entries of a machine's mirrors, from which the sources of Debian are downloaded."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from debian import source_entries

ENTRY = "Types: deb-src\nURIs: {uri}\nSuites: trixie\nComponents: main\n"
KEY = "Signed-By: /usr/share/keyrings/debian.gpg\n"


@pytest.fixture
def etc(tmp_path):
    tmp_path.joinpath("sources.list.d").mkdir()
    return tmp_path


def test_a_line_becomes_an_entry_for_sources(etc):
    etc.joinpath("sources.list").write_text(
        "# deb http://comment.test/ bookworm main\n"
        "deb [arch=amd64 signed-by=/usr/share/keyrings/debian.gpg] http://one.test/debian bookworm main contrib\n"
    )
    etc.joinpath("sources.list.d", "more.list").write_text("deb http://two.test/debian\tstable main # the mirror\n")
    assert source_entries(etc, "trixie") == [
        ENTRY.format(uri="http://one.test/debian") + KEY,
        ENTRY.format(uri="http://two.test/debian"),
    ]


def test_a_paragraph_becomes_an_entry_for_sources(etc):
    etc.joinpath("sources.list.d", "debian.sources").write_text(
        "Types: deb deb-src\n# a comment\nURIs: http://one.test/debian\nSuites: bookworm bookworm-updates\n"
        f"Components: main\n{KEY}\n\n"
        "types: deb\nuris: http://two.test/debian\nsuites: sid\ncomponents: main\n"
    )
    assert source_entries(etc, "trixie") == [
        ENTRY.format(uri="http://one.test/debian") + KEY,
        ENTRY.format(uri="http://two.test/debian"),
    ]


def test_a_key_of_several_lines_stays_whole(etc):
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n -----END PGP PUBLIC KEY BLOCK-----\n"
    paragraph = "Types: deb\nURIs: http://one.test/debian\nSuites: trixie\nComponents: main\n"
    etc.joinpath("sources.list.d", "debian.sources").write_text(paragraph + key)
    (entry,) = source_entries(etc, "trixie")
    assert [line.strip() for line in entry.splitlines()] == [
        line.strip() for line in (ENTRY.format(uri="http://one.test/debian") + key).splitlines()
    ]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param("deb http://one.test/debian bookworm-updates main", id="updates"),
        pytest.param("deb http://one.test/debian-security bookworm/updates main", id="security"),
        pytest.param("deb http://one.test/ ./", id="a flat repository"),
        pytest.param("deb http://one.test/ stable nginx", id="another component"),
        pytest.param("deb-src http://one.test/debian bookworm main", id="sources"),
    ],
)
def test_an_entry_that_is_no_release_of_debian_is_left_out(etc, entry):
    etc.joinpath("sources.list").write_text(f"{entry}\n")
    assert source_entries(etc, "trixie") == []


def test_a_disabled_paragraph_is_left_out(etc):
    paragraph = "Enabled: no\nTypes: deb\nURIs: http://one.test/debian\nSuites: trixie\nComponents: main\n"
    etc.joinpath("sources.list.d", "debian.sources").write_text(paragraph)
    assert source_entries(etc, "trixie") == []


def test_a_mirror_named_twice_is_requested_once(etc):
    etc.joinpath("sources.list").write_text("deb http://one.test/debian bookworm main\n" * 2)
    assert source_entries(etc, "trixie") == [ENTRY.format(uri="http://one.test/debian")]
