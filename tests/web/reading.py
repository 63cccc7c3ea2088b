"""What a page says, as a program that knows HTML reads it."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Tables, links by their words, and what elements with an id or a class hold as text."""

    def __init__(self, answer) -> None:
        super().__init__(convert_charrefs=True)
        self.links: dict[str, str] = {}
        self.cells: list[list[tuple[str, dict[str, str], str]]] = []
        self.said: list[tuple[str, dict[str, str], str]] = []
        self._open: list[list] = []
        self.feed(answer.text)

    def handle_starttag(self, tag, attributes):
        if tag in {"input", "meta", "link", "br"}:
            self.handle_startendtag(tag, attributes)
            return
        if tag == "tr":
            self.cells.append([])
        self._open.append([tag, dict(attributes), ""])

    def handle_startendtag(self, tag, attributes):
        self.said.append((tag, dict(attributes), ""))

    def handle_data(self, data):
        for each in self._open:
            each[2] += data

    def handle_endtag(self, tag):
        while self._open:
            found = self._open.pop()
            text = " ".join(found[2].split())
            self.said.append((found[0], found[1], text))
            if found[0] in {"td", "th"}:
                self.cells[-1].append((text, found[1], found[0]))
            if found[0] == "a" and "href" in found[1]:
                self.links[text] = found[1]["href"]
            if found[0] == tag:
                return

    @property
    def heads(self):
        return [text for text, _, _ in self.cells[0]] if self.cells else []

    @property
    def rows(self):
        return [
            dict(zip(self.heads, (text for text, _, _ in row), strict=True))
            for row in self.cells[1:]
        ]

    def texts(self, tag, **attributes):
        """Return the texts of elements with these attributes, class_ among their classes."""
        wanted = {name.rstrip("_").replace("_", "-"): each for name, each in attributes.items()}
        return [
            text
            for found, has, text in self.said
            if found == tag
            and all(value in (has.get(name) or "").split() for name, value in wanted.items())
        ]
