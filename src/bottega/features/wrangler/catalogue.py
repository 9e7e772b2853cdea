"""ListTransforms: what the palette offers."""

from __future__ import annotations

from typing import Any

from bottega.context import Context
from bottega.features.wrangler.asking import pool_of
from bottega.registry import operation
from bottega.specs.generated.wrangler import ListTransformsRequest, ListTransformsResponse


@operation("ListTransforms", service="bottega")
def list_transforms(context: Context, request: ListTransformsRequest) -> ListTransformsResponse:
    """Every transform and analysis, in the palette's order."""
    from bottega.wrangler.insight.registry import analyses
    from bottega.wrangler.transforms.registry import transforms

    # Whoever looks at the palette is about to open a flow.
    pool_of(context).stand_ready()
    answer: Any = {
        "Transforms": [transform.as_answer() for transform in transforms()],
        "Analyses": [analysis.as_answer() for analysis in analyses()],
    }
    response: ListTransformsResponse = answer
    return response
