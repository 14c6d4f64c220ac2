"""Fuses per-architecture container image archives into multi-architecture ones.

    >>> import fusion
    >>> report = fusion.fuse(["images-amd64.tar", "images-arm64.tar"], "images.tar")
    >>> report.images[0].reference
    'docker.io/library/nginx:1.25'
    >>> [variant.platform for variant in report.images[0].platforms]
    ['linux/amd64', 'linux/arm64']

Verbs are functions: `fuse`, `plan`, `push`, `sync`, `import_addon`, `index_create`, `inspect`,
`verify`. Each returns a frozen result with the fields of the JSON document that the ``fusion`` command prints with
``--json``, or raises a subclass of `FusionError`. The interpreter lock is released while they work;
`progress` callables run on the calling thread; Ctrl-C and exceptions from the callable stop a run,
and nothing is published then.

What the engine logs goes to ``logging.getLogger("fusion")``.
"""

from ._charts import import_addon, sync
from ._deliver import index_create, push
from ._fusion import __version__ as __version__
from ._progress import tqdm_progress
from ._results import (
    Blobs,
    Bytes,
    CarriedValues,
    ChangedValue,
    Chart,
    DamagedSource,
    Destination,
    ErrorReport,
    Finding,
    Image,
    InspectedChart,
    InspectedImage,
    InspectedLayer,
    InspectedPlatform,
    InspectedSource,
    Inspection,
    KeptValue,
    Progress,
    Report,
    ReportWarning,
    Variant,
    Verification,
)
from ._options import StrPath
from ._verbs import fuse, inspect, plan, verify
from .exceptions import (
    BusyError,
    CancelledError,
    ConflictError,
    DeniedError,
    DestinationExistsError,
    DigestMismatchError,
    FusionError,
    FusionIOError,
    InputChangedError,
    InternalError,
    InvalidArchiveError,
    LimitExceededError,
    NoSpaceError,
    NotFoundError,
    NothingSelectedError,
    PermissionDeniedError,
    PlatformMissingError,
    ProjectMissingError,
    RegistryError,
    UnauthorizedError,
    UnreachableError,
    UnsupportedError,
    UsageError,
)

__all__ = [
    "Blobs",
    "BusyError",
    "Bytes",
    "CancelledError",
    "CarriedValues",
    "ChangedValue",
    "Chart",
    "ConflictError",
    "DamagedSource",
    "DeniedError",
    "Destination",
    "DestinationExistsError",
    "DigestMismatchError",
    "ErrorReport",
    "Finding",
    "FusionError",
    "FusionIOError",
    "Image",
    "InputChangedError",
    "InspectedChart",
    "InspectedImage",
    "InspectedLayer",
    "InspectedPlatform",
    "InspectedSource",
    "Inspection",
    "InternalError",
    "InvalidArchiveError",
    "KeptValue",
    "LimitExceededError",
    "NoSpaceError",
    "NotFoundError",
    "NothingSelectedError",
    "PermissionDeniedError",
    "PlatformMissingError",
    "Progress",
    "ProjectMissingError",
    "RegistryError",
    "Report",
    "ReportWarning",
    "StrPath",
    "UnauthorizedError",
    "UnreachableError",
    "UnsupportedError",
    "UsageError",
    "Variant",
    "Verification",
    "fuse",
    "import_addon",
    "index_create",
    "inspect",
    "plan",
    "push",
    "sync",
    "tqdm_progress",
    "verify",
]
