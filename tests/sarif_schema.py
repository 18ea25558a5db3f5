"""What SARIF 2.1.0 asks of a log, as two schemas: every log of ours has to pass both.

`STANDARD` is the standard's own schema, `sarif-2.1.0.json`, as Microsoft's SARIF SDK ships it (npm
`@microsoft/sarif-multitool` 5.7.0; copyright Microsoft Corporation, MIT licence). `OURS` is written from the standard's
text (OASIS, sections 3.4 to 3.59) and narrower: it asks what the text asks and that schema doesn't, and refuses the
properties that we don't write, so that a misspelt one is noticed.
"""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

GITHUB_NEEDS_A_LINE = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
TEXT = {"type": "string", "minLength": 1}
BAG = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}}}


def _object(required, **optional):
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items, **more):
    return {"type": "array", "items": items} | more


# Braces stand in pairs, and no bracket opens a link: 3.11.5, 3.11.6.
SENTENCE = TEXT | {"pattern": r"^([^{}]|\{\{|\}\})*$", "not": {"pattern": r"\]\("}}
MESSAGE = _object({"text": SENTENCE})
STRINGS = _object({"text": SENTENCE}, markdown=SENTENCE)
# RFC 3986: no spaces, no quotes, no letters beyond ASCII, and % only before two hex digits; a relative one has no colon
# in its first segment.
URI = {
    "type": "string",
    "pattern": r"^(file://|(?![^/]*:))([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$",
}
LOCATION = _object(
    {
        "physicalLocation": _object(
            {"artifactLocation": _object({"uri": URI}), "region": _object({"startLine": GITHUB_NEEDS_A_LINE})}
        )
    },
    logicalLocations=_list(
        _object({"fullyQualifiedName": TEXT, "kind": {"const": "element"}}), uniqueItems=True, minItems=1
    ),
)
INDEX = {"type": "integer", "minimum": 0}
RULE = _object(
    {
        "id": TEXT,
        "name": TEXT,
        "shortDescription": STRINGS,
        "fullDescription": STRINGS,
        "help": _object({"text": SENTENCE, "markdown": SENTENCE}),
        "defaultConfiguration": _object({"level": LEVEL}),
    },
    properties=BAG,
)
NOTIFICATION = _object(
    {"message": MESSAGE, "level": LEVEL},
    locations=_list(LOCATION, uniqueItems=True),
    associatedRule=_object({"id": TEXT, "index": INDEX}),
    exception=_object({}, kind={"type": "string"}, message={"type": "string"}),
)
INVOCATION = _object(
    {"executionSuccessful": {"type": "boolean"}},
    exitCode={"type": "integer"},
    toolExecutionNotifications=_list(NOTIFICATION),
)
RESULT = _object(
    {"message": MESSAGE, "ruleId": TEXT, "ruleIndex": INDEX, "level": LEVEL},
    locations=_list(LOCATION, maxItems=1, minItems=1),
    partialFingerprints={"type": "object", "additionalProperties": TEXT, "minProperties": 1},
    properties=BAG,
)
RUN = _object(
    {
        "tool": _object({"driver": _object({"name": TEXT}, version=TEXT, rules=_list(RULE, uniqueItems=True))}),
        "results": _list(RESULT),
    },
    invocations=_list(INVOCATION),
)
OURS = _object(
    {"version": {"const": "2.1.0"}, "runs": _list(RUN)},
    **{"$schema": {"type": "string", "pattern": r"^https://\S+/sarif-schema-2\.1\.0\.json$"}},
)
STANDARD = json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text())
_VALIDATORS = Draft202012Validator(STANDARD), Draft202012Validator(OURS)


def sarif_errors(document):
    """What either schema has against a log, as text."""
    return [str(error) for validator in _VALIDATORS for error in validator.iter_errors(document)]
