"""Reads a rendered page: its tags, ids and links, and whether every tag is closed."""

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "hr", "input", "wbr"}


class Page(HTMLParser):
    """Collects tags, ids and links, and notes tags that are not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.ids, self.links, self.attributes, self.open, self.faults = [], [], [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)
        self.ids.extend(value for name, value in attrs if name == "id")
        self.links.extend(value for name, value in attrs if name in ("href", "xlink:href"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)
