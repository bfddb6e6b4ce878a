"""The job spec: what the daemons do. Its CID stands in the job's terms; no fact stands in both."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hansa.protocol.baselines import check_baselines
from hansa.protocol.errors import Malformed, TooLarge
from hansa.protocol.tables import LIMITS, RULES

MAX_BYTES: Final = 65_536
_MAX_DEPTH: Final = 8
_SAFE: Final = 2**53 - 1  # what JSON readers of any language hold exactly

NEW: Final = frozenset({"title", "about", "metric", "frozen", "group", "shares", "validation", "validation_set"})
"""Fields that version 2 has beside those of version 1, which has no privacy but 'committee'."""

Setting = int | str | bool | list[Any]  # lists of the same, nested


FileName = Annotated[str, Field(min_length=1, max_length=128)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class JobSpec(BaseModel):
    """What is trained, and how.

    version: 2 is what is written; 1, without the fields of `NEW`, is still read.
    title, about: the sponsor's own words. metric: what the task's metric measures, such as 'accuracy'; None: unsaid.
    task: a built-in task's name, or a user's 'module.path:Class' or file, whose SHA-256 is then `task_digest`.
    settings: the task's own; integers, strings, booleans and lists of them.
    frozen: SHA-256 by name of the files that the model reads and nobody trains; every party has its own copy.
    steps: of local training in one cycle; loss_threshold: mean loss that ends them early, 1e-9.
    bits: of an update's integers. weights: every trainer alike, or by bond.
    baselines: what the metric is compared with: 'NAME=DECIMAL' as hansa.protocol.baselines writes it, or a name alone.
    publish_keys: whether trainers publish their content keys at the job's end.
    privacy: who can see one update, a mode of hansa.protocol.privacy, which says what spec and terms must be for it.
    group: least updates that are opened together; 0 but in 'masked'. shares: seats that it takes to open one; 0 in
    'committee'. validation: whether members measure on rows that are 'dealt' out by seat, or on their 'own'.
    validation_set: others than None are refused until they work.
    model_bytes, update_bytes: largest model file and sealed update that anybody fetches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1, 2] = 2
    title: str = Field(default="", max_length=120)
    about: str = Field(default="", max_length=4000)
    metric: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    task: str = Field(min_length=1, max_length=256)
    task_digest: Sha256 | None = None
    settings: dict[str, Setting] = Field(default_factory=dict)
    frozen: dict[FileName, Sha256] = Field(default_factory=dict, max_length=16)
    seed: int = Field(default=0, ge=0, le=_SAFE)
    steps: int = Field(ge=1, le=_SAFE)
    loss_threshold: int | None = Field(default=None, ge=-_SAFE, le=_SAFE)
    bits: Literal[8, 16] = 8
    rule: Literal[tuple(RULES)] = "validated_mean"  # type: ignore[valid-type]
    weights: Literal["equal", "bond"] = "equal"
    privacy: Literal["committee", "threshold", "masked"] = "committee"
    group: int = Field(default=0, ge=0, le=LIMITS.trainers)
    shares: int = Field(default=0, ge=0, le=LIMITS.seats)
    validation: Literal["dealt", "own"] = "dealt"
    validation_set: None = None
    baselines: list[str] = Field(default_factory=list)
    publish_keys: bool = False
    model_bytes: int = Field(ge=1, le=_SAFE)
    update_bytes: int = Field(ge=1, le=_SAFE)

    @field_validator("settings")
    @classmethod
    def _plain(cls, settings: dict[str, Setting]) -> dict[str, Setting]:
        for name, value in settings.items():
            _check_plain(value, f"setting {name!r}", _MAX_DEPTH)
        return settings

    @field_validator("baselines")
    @classmethod
    def _comparable(cls, baselines: list[str]) -> list[str]:
        check_baselines(baselines)
        return baselines

    @property
    def settings_digest(self) -> str:
        """SHA-256 of the settings in canonical JSON, in hexadecimal: jobs of one task with the same settings have the
        same."""
        return hashlib.sha256(_canonical(self.settings)).hexdigest()

    def encode(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, UTF-8. Raises TooLarge for more than anybody reads."""
        data = _canonical(self.model_dump(exclude=set(NEW) if self.version == 1 else None))
        if len(data) > MAX_BYTES:
            raise TooLarge("job spec", cause=f"{len(data)} bytes; {MAX_BYTES} at most")
        return data

    @classmethod
    def decode(cls, data: bytes) -> JobSpec:
        """Reads a spec. Raises Malformed for unknown, missing or wrong fields, and bytes that are not canonical."""
        if len(data) > MAX_BYTES:
            raise TooLarge("job spec", cause=f"{len(data)} bytes; {MAX_BYTES} at most")
        try:
            fields = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise Malformed("job spec is not JSON", cause=error) from error
        if not isinstance(fields, dict):
            raise Malformed("job spec is not a JSON object")
        expected = cls.model_fields.keys() - (NEW if fields.get("version") == 1 else ())
        if missing := sorted(expected - fields.keys()):
            raise Malformed("job spec", cause=f"{', '.join(missing)} missing")
        if unknown := sorted(fields.keys() & cls.model_fields.keys() - expected):
            raise Malformed("job spec", cause=f"version 1 has no {', '.join(unknown)}")
        if fields.get("version") == 1 and fields["privacy"] != "committee":
            raise Malformed("job spec", cause="privacy: version 1 has 'committee' alone")
        try:
            spec = cls.model_validate(fields)
            canonical = spec.encode() == data
        except ValidationError as error:
            raise Malformed("job spec", cause=first_problem(error)) from error
        except UnicodeEncodeError as error:
            raise Malformed("job spec", cause="text that is not Unicode") from error
        if not canonical:
            raise Malformed("job spec", cause="its JSON is not canonical")
        return spec


def _canonical(fields: dict[str, Any]) -> bytes:
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def _check_plain(value: object, what: str, depth: int) -> None:
    if isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > _SAFE:
            raise ValueError(f"{what} is beyond ±(2⁵³ − 1)")
    elif isinstance(value, list) and depth:
        for item in value:
            _check_plain(item, what, depth - 1)
    else:
        raise ValueError(f"{what} holds {type(value).__name__}; integers, strings, booleans and lists only")


def first_problem(error: ValidationError) -> str:
    """Which field is wrong, and why; never what stood there."""
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    said = problem["msg"].removeprefix("Value error, ")
    return f"{field}: {said}" if field else said
