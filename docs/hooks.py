"""What MkDocs cannot do: pages from outside of docs/, and links that lead out of it.

Links are written for the checkout, so that they work in an editor and on GitHub. On the site, a link to one of PAGES
leads to its page. A link to any other file outside of docs/, or to a folder, becomes the path, as text.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "deploy/README.md": "deployment.md",
}
SOURCES = {page: source for source, page in PAGES.items()}
CODE = r"^[ ]*```.*?^[ ]*```|`[^`]*`"
LINK = r"(?P<image>!?)\[(?P<text>[^][]*)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)"
CODE_OR_LINK = re.compile(f"{CODE}|{LINK}", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> None:
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    here = page.file.src_uri
    source = SOURCES.get(here, f"docs/{here}")

    def on_the_site(match: re.Match[str]) -> str:
        target = match["target"]
        if not target or ":" in target:
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if not (ROOT / path).exists():
            return match[0]  # MkDocs reports it
        found = PAGES.get(path, path.removeprefix("docs/") if path.startswith("docs/") else "")
        if not files.get_file_from_path(found):
            return f"`{path}`" if match["text"].strip("`/") in path else f"{match['text']} (`{path}`)"
        link = posixpath.relpath(found, posixpath.dirname(here) or ".")
        return f"{match['image']}[{match['text']}]({link}{match['anchor'] or ''})"

    return CODE_OR_LINK.sub(on_the_site, markdown)
