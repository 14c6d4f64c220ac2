"""The verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol

from . import _fusion, _options
from ._options import PathMap, StrPath
from ._results import Inspection, Progress, Report, Verification

Format = Literal["oci", "oci-archive", "bundle", "package"]
OnConflict = Literal["error", "first", "last"]
OnFileConflict = Literal["beside", "error", "first", "last"]
OnExisting = Literal["error", "merge", "replace", "skip"]
MediaTypes = Literal["keep", "oci", "docker", "auto"]
Verify = Literal["blobs", "full"]
Durability = Literal["full", "rename"]
Names = Literal["path", "last", "origin"]
Visibility = Literal["public", "private"]
OnChart = Literal["keep", "replace", "error"]

OnProgress = Callable[[Progress], object]
"""What is called with a `Progress`, on the thread that made the call, at most ten times a second."""


class Stop(Protocol):
    """What tells a run to stop: a `threading.Event`, a `multiprocessing.Event`, …"""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


def fuse(
    sources: StrPath | Iterable[StrPath],
    output: StrPath,
    *,
    format: Format | None = None,
    platforms: str | Iterable[str] | None = None,
    require_platforms: str | Iterable[str] | None = None,
    images: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    on_conflict: OnConflict = "error",
    on_file_conflict: OnFileConflict = "beside",
    on_existing: OnExisting = _options.ON_EXISTING,
    source_platforms: PathMap | None = None,
    name: str | None = None,
    strip_arch_suffix: bool = False,
    rename: Mapping[str, str] | None = None,
    compression: str = "keep",
    media_types: MediaTypes = "keep",
    docker_platform: str | None = None,
    verify: Verify = "blobs",
    annotations: Mapping[str, str] | None = None,
    durability: Durability = "full",
    work_dir: StrPath | None = None,
    jobs: int | None = None,
    dry_run: bool = False,
    keep_going: bool = False,
    clean: bool = False,
    username: str | None = None,
    password: str | None = None,
    tls_ca: StrPath | None = None,
    insecure: bool = False,
    plain_http: bool = False,
    retries: int = 3,
    names: Names = "path",
    create_projects: Visibility | bool | None = None,
    claim_tags: bool = False,
    clean_claims: bool = False,
    progress: OnProgress | None = None,
    stop: Stop | None = None,
) -> Report:
    """Fuses the images of all ``sources`` into ``output``.

    Images pair by reference; each reference leads to one index with a manifest per platform. Every
    distinct blob is copied once and verified. The result appears whole, as the last step, or not at
    all.

    Args:
        sources: One archive (``.tar``, ``.tar.gz``, ``.tar.zst``; of ``docker save``, skopeo,
            podman, containerd, …), OCI layout, chart bundle or package of these, or many. The kind
            is detected from content; ``docker-archive:FILE[:REFERENCE]``,
            ``oci-archive:FILE[:REFERENCE]`` and ``oci:DIR[:REFERENCE]`` settle doubt and select,
            ``bundle:FILE`` and ``package:PATH`` settle doubt. ``docker://HOST/REPOSITORY:TAG`` is an
            image in a registry, ``-`` is standard input.
        output: The file or directory to write; ``-`` is standard output, ``docker://HOST/PREFIX`` a
            registry: then this does what `push` does.
        format: What ``output`` is: ``oci``, a layout directory; ``oci-archive``, a tar file that
            containerd, docker, podman and skopeo load; ``bundle``, a chart bundle as charts-syncer
            reads it; ``package``, the tree of the sources with everything in it fused. By default a
            layout if ``output`` ends in ``/`` or is a directory, else what all sources are (bundles
            or packages), else an archive. A package or archive is compressed if the name of
            ``output`` ends in ``.gz`` or ``.zst``.
        platforms: Keep only these: ``linux/amd64``, ``linux/arm/v7``, …
        require_platforms: Fail where an image lacks one of these.
        images: Keep only images whose normalised reference matches one of these globs.
        exclude: Leave out images whose normalised reference matches one of these globs.
        on_conflict: What to do if sources disagree on the image of one reference and platform, or on
            a chart: keep that of the source named ``first`` or ``last``, or fail.
        on_file_conflict: What to do if packages have different files in one place: keep all, the
            later ones ``beside`` the first with their platform in the name; keep that of the source
            named ``first`` or ``last``; or fail.
        on_existing: What to do if ``output`` exists (an empty directory does not): ``merge`` into it
            by platform, ``replace`` it, or fail with ``error``. Tags of a registry can also be left
            with ``skip``, and are merged into unless this is given.
        source_platforms: The platform of every image of a source, whatever it says itself, by the
            source as it stands in ``sources``.
        name: The reference of images that have none.
        strip_arch_suffix: Pair ``app:1.5-amd64`` with ``app:1.5-arm64``, as ``app:1.5``.
        rename: Prefixes of normalised references, and what to put in their place.
        compression: How layers are compressed: ``keep``, ``none``, ``gzip[:1-9]``, ``zstd[:1-22]``.
        media_types: Those of new and converted documents: ``oci``, ``docker``, or as they are;
            ``auto``: the other ones where a registry refuses some.
        docker_platform: Whose images ``docker load`` gets from an archive; by default
            ``linux/amd64`` if present, else the first.
        verify: ``blobs``: the digest of every blob that is published; ``full``: also every diff ID
            and what ``output`` had before.
        annotations: Annotations of new indexes.
        durability: ``full``: the data is on disk before it is published; ``rename`` is faster, and
            leaves to the file system what a loss of power does.
        work_dir: Where to spool what cannot be spooled beside ``output``.
        jobs: How many threads work; by default one a core.
        dry_run: Plan only, and write nothing; see also `plan`.
        keep_going: Go on when an image fails. Nothing is raised for it then: `Report.status` is
            ``partial``, and the image has its error.
        clean: First remove what abandoned runs into ``output`` left.
        username: The user of registries; by default what docker, podman and their credential
            helpers have stored.
        password: The user's password. Nothing shows it.
        tls_ca: A file of certificates to trust besides the system's, of authorities or of servers.
        insecure: Check no certificates, and take plain HTTP too.
        plain_http: Plain HTTP only.
        retries: How often to repeat a request that failed for a reason that may pass.
        names: What images are called in a registry, as in `push`; so are ``create_projects``,
            ``claim_tags`` and ``clean_claims``.
        progress: Called with a `Progress` on this thread, at least once before the first write and
            once before the result is published. What it raises stops the run, and is raised here
            unchanged.
        stop: An event that another thread sets to stop the run.

    Returns:
        What was done.

    Raises:
        UsageError: An argument that cannot be understood, or nothing to do. Also a ``ValueError``.
        ConflictError: Sources disagree, ``output`` exists, or a required platform is missing.
        InvalidArchiveError: A source is damaged (`DigestMismatchError`), unsupported, excessive, or
            changed meanwhile. Also a ``ValueError``.
        FusionIOError: The file system refused something. Also an ``OSError``.
        RegistryError: A registry refused something, or cannot be reached.
        CancelledError: ``stop`` was set.
        KeyboardInterrupt: Ctrl-C, on the main thread, stops the run within half a second.
        TypeError: An argument of the wrong type.

    Whatever is raised, nothing was published, and `FusionError.report` is the report as far as the
    run came.
    """
    arguments = dict(locals())
    return _run(arguments)


def plan(
    sources: StrPath | Iterable[StrPath],
    output: StrPath | None = None,
    *,
    format: Format | None = None,
    platforms: str | Iterable[str] | None = None,
    require_platforms: str | Iterable[str] | None = None,
    images: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    on_conflict: OnConflict = "error",
    on_file_conflict: OnFileConflict = "beside",
    on_existing: OnExisting = _options.ON_EXISTING,
    source_platforms: PathMap | None = None,
    name: str | None = None,
    strip_arch_suffix: bool = False,
    rename: Mapping[str, str] | None = None,
    compression: str = "keep",
    media_types: MediaTypes = "keep",
    docker_platform: str | None = None,
    verify: Verify = "blobs",
    annotations: Mapping[str, str] | None = None,
    durability: Durability = "full",
    work_dir: StrPath | None = None,
    jobs: int | None = None,
    keep_going: bool = False,
    username: str | None = None,
    password: str | None = None,
    tls_ca: StrPath | None = None,
    insecure: bool = False,
    plain_http: bool = False,
    retries: int = 3,
    names: Names = "path",
    create_projects: Visibility | bool | None = None,
    claim_tags: bool = False,
    clean_claims: bool = False,
    progress: OnProgress | None = None,
    stop: Stop | None = None,
) -> Report:
    """Says what `fuse` would do with the same arguments, with bytes, and writes nothing.

    ``output`` may be left out; then what is there already is not looked at.

    Returns:
        The report of a run with ``dry_run=True``.

    Raises:
        FusionError: As `fuse` does.
    """
    arguments = dict(locals())
    return _run({**arguments, "dry_run": True, "clean": False})


def inspect(
    source: StrPath,
    *,
    reference: str | None = None,
    username: str | None = None,
    password: str | None = None,
    tls_ca: StrPath | None = None,
    insecure: bool = False,
    plain_http: bool = False,
    retries: int = 3,
    progress: OnProgress | None = None,
    stop: Stop | None = None,
) -> Inspection:
    """Says what is inside ``source``, without unpacking it.

    Only documents are verified; `verify` checks everything.

    Args:
        source: An archive, OCI layout, bundle, package or image in a registry; as in `fuse`.
        reference: Only this image, as it is spelled there or normalised.
        username, password, tls_ca, insecure, plain_http, retries: How to get into a registry, as in
            `fuse`.
        progress: As in `fuse`.
        stop: As in `fuse`.

    Returns:
        The images, with platforms and layers, and the charts.

    Raises:
        NothingSelectedError: There is no such image.
        InvalidArchiveError: The source is damaged, or holds no images.
        FusionIOError: The file system refused something.
    """
    arguments = dict(locals())
    _options.callbacks(progress, stop)
    encoded = _options.path("source", source)
    if reference is not None:
        reference = _options.text("reference", reference)
    # Of its arguments only these are choices of a run.
    choices = _options.choices({name: arguments[name] for name in _CONNECT})
    return Inspection._from_json(_fusion.inspect(encoded, reference, choices, progress, stop))


def verify(
    sources: StrPath | Iterable[StrPath],
    *,
    jobs: int | None = None,
    username: str | None = None,
    password: str | None = None,
    tls_ca: StrPath | None = None,
    insecure: bool = False,
    plain_http: bool = False,
    retries: int = 3,
    progress: OnProgress | None = None,
    stop: Stop | None = None,
) -> Verification:
    """Checks every digest and diff ID of ``sources``.

    What is wrong with the content is a finding, and all findings are listed: look at
    `Verification.passed`.

    Args:
        sources: One archive, OCI layout, bundle, package or image in a registry, or many; as in
            `fuse`.
        jobs: How many threads work; by default one a core.
        username, password, tls_ca, insecure, plain_http, retries: How to get into a registry, as in
            `fuse`.
        progress: As in `fuse`.
        stop: As in `fuse`.

    Returns:
        What was checked, and the findings.

    Raises:
        FusionIOError: A source is missing or cannot be read.
    """
    arguments = dict(locals())
    _options.callbacks(progress, stop)
    encoded = _options.paths("sources", sources)
    choices = _options.choices({name: arguments[name] for name in ("jobs", *_CONNECT)})
    return Verification._from_json(_fusion.verify(encoded, choices, progress, stop))


_CONNECT = ("username", "password", "tls_ca", "insecure", "plain_http", "retries")


def _run(arguments: dict[str, Any]) -> Report:
    progress, stop = arguments["progress"], arguments["stop"]
    _options.callbacks(progress, stop)
    sources = _options.paths("sources", arguments["sources"])
    output = arguments["output"]
    if output is not None or not arguments["dry_run"]:
        output = _options.path("output", output)
    choices = _options.choices(arguments)
    return Report._from_json(_fusion.fuse(sources, output, choices, progress, stop))
