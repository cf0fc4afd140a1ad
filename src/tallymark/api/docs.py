"""OpenAPI: the description of the API, and pages to read it that load nothing from outside."""

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from tallymark import __version__


def openapi_config() -> OpenAPIConfig:
    """The configuration of `/openapi`."""
    return OpenAPIConfig(
        title="Tallymark",
        version=__version__,
        description="Events in, exact and repeatable numbers out.",
        path="/openapi",
        use_handler_docstrings=True,
        render_plugins=[JsonRenderPlugin()],
    )
