# SPDX-License-Identifier: BSD-2-Clause
"""Words of a FIT's source (.its)."""


def text(value: str) -> str:
    """A device tree string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def cells(value: int) -> str:
    """An address of two cells."""
    return f"<{value >> 32:#x} {value & 0xFFFFFFFF:#x}>"


def node(name: str, properties: dict[str, str], inner: dict[str, dict[str, str]]) -> list[str]:
    """The lines of an image or configuration node, with nodes in it."""
    body = [f"\t\t\t{key} = {value};" for key, value in properties.items()]
    for child, values in inner.items():
        body += [f"\t\t\t{child} {{", *(f"\t\t\t\t{k} = {v};" for k, v in values.items()), "\t\t\t};"]
    return [f"\t\t{name} {{", *body, "\t\t};"]
