"""Generate docs/console.md, docs/servers.md, docs/doctor.svg, and the table of cases in docs/check.md."""

import io
import re
from pathlib import Path

import httpx
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from asgi_cors.cli.check.cases import ALL
from asgi_cors.cli.check.report import markdown_table
from asgi_cors.cli.console.report import page
from asgi_cors.cli.doctor.collect import collect_evidence
from asgi_cors.cli.doctor.diagnosis import diagnose
from asgi_cors.cli.doctor.question import Question
from asgi_cors.cli.doctor.recipes import page as recipes_page
from asgi_cors.cli.doctor.report import report

HERE = Path(__file__).parent
QUESTION = Question(
    url="https://api.example.com/items/1",
    origin="https://app.example.com",
    method="PUT",
    headers=(("x-id", "7"),),
    credentials=True,
)
COMMAND = "asgi-cors doctor https://api.example.com/items/1 -o https://app.example.com -X PUT -H x-id -c"
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def api(request: httpx.Request) -> httpx.Response:
    """Respond as an API behind nginx whose login comes before CORS."""
    if request.method == "OPTIONS":
        return httpx.Response(401, headers={"server": "nginx", "www-authenticate": "Bearer"})
    return httpx.Response(200)


def picture() -> str:
    """Return the report as an SVG of 80 columns, in fonts that every machine has."""
    console = Console(record=True, width=80, force_terminal=True, color_system="truecolor", file=io.StringIO())
    console.print(Text.assemble(("$ ", "bold green"), f"{COMMAND}\n"))
    console.print(report(diagnose(collect_evidence(QUESTION, httpx.MockTransport(api)))))
    form = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("Fira Code, monospace", FONT)
    drawn = console.export_svg(title="asgi-cors doctor", code_format=form, unique_id="doctor")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def check_page() -> str:
    """Return docs/check.md with the table of the cases."""
    before, _, rest = (HERE / "check.md").read_text("utf-8").partition("<!-- cases -->")
    return f"{before}<!-- cases -->\n{markdown_table(ALL)}\n<!-- /cases -->{rest.partition('<!-- /cases -->')[2]}"


if __name__ == "__main__":
    (HERE / "check.md").write_text(check_page(), "utf-8")
    (HERE / "console.md").write_text(page(), "utf-8")
    (HERE / "servers.md").write_text(recipes_page.page(), "utf-8")
    (HERE / "doctor.svg").write_text(picture(), "utf-8")
