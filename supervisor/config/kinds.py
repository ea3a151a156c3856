"""The kinds of values that the schema's keys have, as pydantic reads them."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from .types import (
    parse_account,
    parse_bootstrap,
    parse_breaker,
    parse_class,
    parse_duration,
    parse_flag,
    parse_link,
    parse_listen,
    parse_mask,
    parse_name,
    parse_percent,
    parse_place,
    parse_property,
    parse_reference,
    parse_share,
    parse_size,
    parse_text,
    parse_whole,
)  # fmt: skip


def _membership(value: Any) -> bool | Literal["auto"]:
    try:
        return "auto" if isinstance(value, str) and value == "auto" else parse_flag(value)
    except ValueError:
        raise ValueError('must be true, false or "auto"') from None


def not_exactly_once(value: Any) -> Any:
    """Return `value`; raises ValueError for what a later version will promise."""
    if isinstance(value, str) and value == "exactly_once":
        raise ValueError('"exactly_once" does not exist in this version of kherd: it promises "at_least_once"')
    return value


def not_automatic(value: Any) -> Any:
    """Return `value`; raises ValueError for the group protocol that a later version will find out by itself."""
    if isinstance(value, str) and value == "auto":
        raise ValueError('"auto" does not exist in this version of kherd: use "classic" or "consumer"')
    return value


def not_by_model(value: Any) -> Any:
    """Return `value`; raises ValueError for the scaling policy that a later version will have."""
    if isinstance(value, str) and value == "model":
        raise ValueError('"model" does not exist in this version of kherd: use "threshold"')
    return value


_TEXT_OR: Final = {"type": ["string", "number", "boolean", "object"]}
Text = Annotated[str, BeforeValidator(parse_text), Field(min_length=1, max_length=4096)]
Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema({"type": ["number", "string"]})]
Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": ["integer", "string"]})]
SizeOrNone = Annotated[int | None, BeforeValidator(parse_size), WithJsonSchema({"type": ["integer", "string"]})]
WholeOrNone = Annotated[int | None, BeforeValidator(parse_whole), WithJsonSchema({"type": ["integer", "string"]})]
DurationOrNone = Annotated[
    float | None, BeforeValidator(parse_duration), WithJsonSchema({"type": ["number", "string"]})
]
Percent = Annotated[int, BeforeValidator(parse_percent), WithJsonSchema({"type": ["integer", "string"]})]
Share = Annotated[float, BeforeValidator(parse_share), WithJsonSchema({"type": ["number", "string"]})]
Whole = Annotated[int, BeforeValidator(parse_whole), WithJsonSchema({"type": ["integer", "string"]})]
Flag = Annotated[bool, BeforeValidator(parse_flag), WithJsonSchema({"type": ["boolean", "string"]})]
Name = Annotated[Text, AfterValidator(parse_name)]
BreakerName = Annotated[str, PlainValidator(parse_breaker), WithJsonSchema({"type": "string"})]
AccountName = Annotated[str, PlainValidator(parse_account), WithJsonSchema({"type": ["string", "integer"]})]
Mask = Annotated[str, PlainValidator(parse_mask), WithJsonSchema({"type": "string"})]
Reference = Annotated[Text, AfterValidator(parse_reference)]
ClassName = Annotated[Text, AfterValidator(parse_class)]
Bootstrap = Annotated[Text, AfterValidator(parse_bootstrap)]
Place = Annotated[Text, AfterValidator(parse_place)]
Listen = Annotated[Text, AfterValidator(parse_listen)]
Link = Annotated[Text, AfterValidator(parse_link)]
Topic = Annotated[Text, Field(max_length=1000)]
Property = Annotated[str, BeforeValidator(parse_property), WithJsonSchema(_TEXT_OR)]
Properties = dict[Text, Property]
Membership = Annotated[
    bool | Literal["auto"], PlainValidator(_membership), WithJsonSchema({"enum": [True, False, "auto"]})
]
