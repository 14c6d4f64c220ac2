"""Results: the fields of the JSON documents as attributes of frozen objects.

Keys are only ever added to the documents, and fields to these classes. Lengths are in bytes, times
in seconds, digests are text (``sha256:…``); sequences are tuples, sorted by reference and then by
platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ._document import Document

Phase = Literal["read", "write", "publish"]
Status = Literal["ok", "partial", "failed", "cancelled"]
Action = Literal["created", "merged", "replaced", "unchanged", "skipped", "failed"]


@dataclass(frozen=True)
class Progress:
    """How far a run is; what a ``progress`` callable is given."""

    phase: Phase
    """``read``: the sources; ``write``: copying and checking blobs; ``publish``: making the result
    visible."""
    bytes: int
    """Bytes done in this phase."""
    total_bytes: int
    """Bytes to do in this phase; 0 while that is unknown."""
    blobs: int
    """Blobs done in this phase."""
    total_blobs: int
    """Blobs to do in this phase; 0 while that is unknown."""


@dataclass(frozen=True)
class ErrorReport(Document):
    """An error as results carry it; as an exception it is a `FusionError`."""

    kind: str
    """The stable name of the kind: ``digest-mismatch``."""
    message: str
    """One line: where and why."""
    path: str | None
    """The file or directory."""
    member: str | None
    """The archive member."""
    digest: str | None
    """The digest concerned."""
    offset: int | None
    """The byte of the file."""
    hint: str | None
    """What to do next."""


@dataclass(frozen=True)
class Destination(Document):
    """Where a result is."""

    kind: str
    """``oci``, ``oci-archive``, ``bundle``, ``package`` or ``registry``."""
    location: str
    """A path, ``-`` for standard output, or ``HOST[:PORT][/PREFIX]``."""


@dataclass(frozen=True)
class Variant(Document):
    """One platform's variant of an image."""

    platform: str
    """``linux/arm64``; ``unknown`` for an artifact that is no image."""
    digest: str | None
    """The digest of its manifest; ``None`` in a plan that compresses."""
    source: str
    """Where it came from: a source as it was named, or the destination."""
    size: int
    """Its manifest, configuration and layers together."""


@dataclass(frozen=True, repr=False)
class Image(Document):
    """One image of a run."""

    reference: str
    """The normalised reference: ``docker.io/library/nginx:1.25``."""
    names: tuple[str, ...]
    """How the sources spell it."""
    target: str | None
    """The reference in a registry, where it was sent to one."""
    digest: str | None
    """What the reference leads to; ``None`` if that is not known yet or the image failed."""
    previous_digest: str | None
    """What the destination had before, if that was something else."""
    media_type: str | None
    """What `digest` is of."""
    action: Action
    """What happened to it."""
    platforms: tuple[Variant, ...]
    """Its variants."""
    error: ErrorReport | None
    """Why it failed."""

    _parts: ClassVar[dict[str, Any]] = {"platforms": Variant, "error": ErrorReport}

    def __repr__(self) -> str:
        return _repr(self, _at(self.reference, self.digest), self.action, *_names(self.platforms))


@dataclass(frozen=True, repr=False)
class Chart(Document):
    """One Helm chart of a run."""

    name: str
    """Its name, as ``Chart.yaml`` has it."""
    version: str
    """Its version."""
    action: Action
    """What happened to it."""
    location: str
    """Where its bundle stands in the destination; empty if that is the destination. If the
    destination holds only images, or the chart failed: the source and where the bundle stands in
    it. Of `sync` and `import_addon`: where it is in the chart repository."""
    platforms: tuple[str, ...]
    """What all of its images run on."""
    error: ErrorReport | None = None
    """Why it failed."""

    _parts: ClassVar[dict[str, Any]] = {"error": ErrorReport}

    def __repr__(self) -> str:
        return _repr(self, f"{self.name} {self.version}", self.action, *self.platforms)


@dataclass(frozen=True)
class ChangedValue(Document):
    """A saved value that changed."""

    key: str
    """Its path in the file: ``global.imageRegistry``."""
    old: str | None
    """What it was; ``None`` if it was not there."""
    new: str
    """What it is now."""


@dataclass(frozen=True)
class KeptValue(Document):
    """A saved value that stays as it is."""

    key: str
    """Its path in the file."""
    value: str
    """What it is."""
    why: str
    """Why it stays."""


@dataclass(frozen=True)
class DamagedSource(Document):
    """A source, or a file in one, that is damaged and was left out."""

    location: str
    """Where it is: a source as it was named, and where in it."""
    error: ErrorReport
    """What is wrong with it."""

    _parts: ClassVar[dict[str, Any]] = {"error": ErrorReport}


@dataclass(frozen=True)
class CarriedValues(Document):
    """A file of saved values that names the images of a chart where they are now."""

    path: str
    """The file."""
    chart: str
    """The name of the chart."""
    changes: tuple[ChangedValue, ...]
    """What changed in it; of a plan, what would."""
    kept: tuple[KeptValue, ...]
    """What names an image that the chart does not, and stays."""

    _parts: ClassVar[dict[str, Any]] = {"changes": ChangedValue, "kept": KeptValue}


@dataclass(frozen=True)
class Blobs(Document):
    """Blobs of a run, counted."""

    referenced: int
    """How often images of the run refer to a blob."""
    unique: int
    """How many distinct blobs that is."""
    written: int
    """Written to the destination."""
    reused: int
    """Found at the destination."""
    uploaded: int
    """Sent to a registry."""
    mounted: int
    """Mounted from another repository of the registry."""


@dataclass(frozen=True)
class Bytes(Document):
    """Bytes of a run, counted."""

    read: int
    """Read from the sources, as they lie on disk."""
    unique: int
    """Of the distinct blobs."""
    deduplicated: int
    """Saved by keeping each blob once."""
    written: int
    """Written to the destination."""
    uploaded: int
    """Sent to a registry."""
    peak_spool: int
    """The most that was spooled at once outside the destination."""


@dataclass(frozen=True)
class ReportWarning(Document):
    """Something that somebody should know."""

    reference: str | None
    """The normalised reference concerned."""
    code: str
    """The stable name: ``missing-platform``."""
    message: str
    """One line."""


@dataclass(frozen=True, repr=False)
class Report(Document):
    """What `fuse` did, or `plan` would do: ``fusion.report/v1``."""

    schema: str
    """``fusion.report/v1``."""
    version: str
    """The version of fusion."""
    command: str
    """The verb."""
    dry_run: bool
    """Whether this is a plan: nothing was written."""
    status: Status
    """How the run ended."""
    error: ErrorReport | None
    """Why it failed."""
    destination: Destination | None
    """Where the result is."""
    images: tuple[Image, ...]
    """Every image of the run."""
    charts: tuple[Chart, ...]
    """Every chart of the run."""
    damaged: tuple[DamagedSource, ...]
    """What of the sources is damaged and was left out; a key of the document only if something is."""
    values: tuple[CarriedValues, ...]
    """Saved values that were brought along; a key of the document only if there are some."""
    blobs: Blobs
    """Blobs, counted."""
    bytes: Bytes
    """Bytes, counted."""
    warnings: tuple[ReportWarning, ...]
    """What somebody should know."""
    elapsed_seconds: float
    """How long it took."""

    _parts: ClassVar[dict[str, Any]] = {
        "error": ErrorReport,
        "destination": Destination,
        "images": Image,
        "charts": Chart,
        "damaged": DamagedSource,
        "values": CarriedValues,
        "blobs": Blobs,
        "bytes": Bytes,
        "warnings": ReportWarning,
    }
    _sparse: ClassVar[frozenset[str]] = frozenset({"damaged", "values"})

    def __repr__(self) -> str:
        verb = "plan" if self.dry_run else self.command
        where = self.destination.location if self.destination else "nowhere"
        held = _held(self.images, self.charts)
        warnings = [_count(len(self.warnings), "warning")] if self.warnings else []
        why = [self.error.message] if self.error else []
        return _repr(self, f"{verb} {self.status}", f"{held} in {where}", *warnings, *why)


@dataclass(frozen=True)
class InspectedSource(Document):
    """What a source is."""

    kind: str
    """``docker-archive``, ``oci-archive``, ``oci``, ``bundle`` or ``package``."""
    location: str
    """Its path as it was given."""
    compression: str
    """How the whole file is compressed: ``none``, ``gzip`` or ``zstd``."""
    size: int
    """Its length on disk; 0 for a directory or standard input."""


@dataclass(frozen=True)
class InspectedLayer(Document):
    """A layer."""

    digest: str
    """The digest of the blob."""
    media_type: str
    """Its media type."""
    size: int
    """Its length."""
    diff_id: str | None
    """The digest of the uncompressed layer, as the configuration states it."""


@dataclass(frozen=True, repr=False)
class InspectedPlatform(Document):
    """One platform's variant of an image."""

    platform: str
    """``linux/arm64``; ``unknown`` for an artifact that is no image."""
    digest: str
    """The digest of its manifest."""
    original: bool
    """Whether the archive carries this manifest, as against fusion having made it."""
    config: str
    """The digest of its configuration: the image ID."""
    size: int
    """Manifest, configuration and layers together."""
    layers: tuple[InspectedLayer, ...]
    """Its layers, the lowest first."""
    attestations: tuple[str, ...]
    """The digests of attestations that describe it."""

    _parts: ClassVar[dict[str, Any]] = {"layers": InspectedLayer}

    def __repr__(self) -> str:
        layers = _count(len(self.layers), "layer")
        return _repr(self, _at(self.platform, self.digest), f"{layers}, {self.size} bytes")


@dataclass(frozen=True, repr=False)
class InspectedImage(Document):
    """An image of a source."""

    reference: str | None
    """The normalised reference; ``None`` if the archive does not name the image."""
    names: tuple[str, ...]
    """How the archive spells it."""
    digest: str | None
    """The digest that the archive states for it: of the index or manifest. ``None`` where several
    manifests stand side by side under one name."""
    media_type: str | None
    """What `digest` is of."""
    platforms: tuple[InspectedPlatform, ...]
    """Its variants."""
    absent: tuple[str, ...]
    """Children that its index names and the archive does not hold."""

    _parts: ClassVar[dict[str, Any]] = {"platforms": InspectedPlatform}

    def __repr__(self) -> str:
        name = self.reference or "unnamed"
        return _repr(self, _at(name, self.digest), *_names(self.platforms))


@dataclass(frozen=True, repr=False)
class InspectedChart(Document):
    """A Helm chart that lies in a source as a bundle."""

    name: str
    """Its name, as ``Chart.yaml`` has it."""
    version: str
    """Its version."""
    location: str
    """Where its bundle lies in the source; empty if that is the source."""
    images: tuple[str, ...]
    """The references of its images."""
    platforms: tuple[str, ...]
    """What all of its images run on."""

    def __repr__(self) -> str:
        images = _count(len(self.images), "image")
        return _repr(self, f"{self.name} {self.version}", images, *self.platforms)


@dataclass(frozen=True, repr=False)
class Inspection(Document):
    """What is inside a source: ``fusion.inspect/v1``. Iterating gives its images."""

    schema: str
    """``fusion.inspect/v1``."""
    version: str
    """The version of fusion."""
    error: ErrorReport | None
    """Why the source could not be inspected: in `FusionError.report` only."""
    source: InspectedSource
    """The source."""
    images: tuple[InspectedImage, ...]
    """Its images."""
    charts: tuple[InspectedChart, ...]
    """The charts that lie in it as bundles."""
    blobs: Blobs
    """Its blobs, as far as its images refer to them."""
    bytes: Bytes
    """Their bytes."""
    warnings: tuple[ReportWarning, ...]
    """What somebody should know."""

    _parts: ClassVar[dict[str, Any]] = {
        "error": ErrorReport,
        "source": InspectedSource,
        "images": InspectedImage,
        "charts": InspectedChart,
        "blobs": Blobs,
        "bytes": Bytes,
        "warnings": ReportWarning,
    }

    def __iter__(self) -> Iterator[InspectedImage]:
        return iter(self.images)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        source = f"{self.source.location} ({self.source.kind})"
        return _repr(self, source, _held(self.images, self.charts))


@dataclass(frozen=True)
class Finding(Document):
    """One thing that is wrong, and where."""

    path: str
    """The source, as it was named."""
    member: str | None
    """The archive member."""
    offset: int | None
    """The byte of the file."""
    digest: str | None
    """The digest that was expected."""
    code: str
    """The stable name: ``digest-mismatch``."""
    severity: Literal["error", "warning"]
    """Whether the content is wrong, or somebody should just know."""
    message: str
    """One line."""


@dataclass(frozen=True, repr=False)
class Verification(Document):
    """What is wrong with sources: ``fusion.verify/v1``."""

    schema: str
    """``fusion.verify/v1``."""
    version: str
    """The version of fusion."""
    status: Literal["ok", "failed", "cancelled"]
    """``failed`` if a finding is an error."""
    error: ErrorReport | None
    """Why the run failed, as against what it found: in `FusionError.report` only."""
    sources: tuple[str, ...]
    """The sources, as they were named."""
    images: int
    """How many images were checked."""
    blobs: int
    """How many distinct blobs were checked."""
    bytes: int
    """Their bytes."""
    findings: tuple[Finding, ...]
    """Every finding, sorted by place."""
    elapsed_seconds: float
    """How long it took."""

    _parts: ClassVar[dict[str, Any]] = {"error": ErrorReport, "findings": Finding}

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong; warnings are not counted."""
        return self.status == "ok"

    def __repr__(self) -> str:
        findings = _count(len(self.findings), "finding")
        checked = f"{_count(self.images, 'image')}, {_count(self.blobs, 'blob')}"
        return _repr(self, self.status, checked, findings)


def _repr(of: Document, *parts: str) -> str:
    return f"<{type(of).__name__} {': '.join(parts[:2])}{''.join(', ' + p for p in parts[2:])}>"


def _at(name: str, digest: str | None) -> str:
    return name if digest is None else f"{name}@{digest}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _held(images: tuple[Any, ...], charts: tuple[Any, ...]) -> str:
    held = _count(len(images), "image")
    return f"{held} and {_count(len(charts), 'chart')}" if charts else held


def _names(variants: Any) -> list[str]:
    return [variant.platform for variant in variants]
