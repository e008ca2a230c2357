"""Numbers and categories to one vector: imputation, Min-Max (Eq. 1), one-hot, fitted on training people."""

from collections.abc import Sequence

from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.feature import (
    ElementwiseProduct,
    Imputer,
    MinMaxScaler,
    MinMaxScalerModel,
    OneHotEncoder,
    SQLTransformer,
    StringIndexer,
    VectorAssembler,
)
from pyspark.ml.linalg import Vectors
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.errors import InputError

FEATURES = "features"


def fit_preprocessing(
    train: DataFrame, *, numeric: Sequence[str], categorical: Sequence[str], flagged: Sequence[str] = ()
) -> PipelineModel:
    """Return the fitted pipeline that adds the vector column ``features``.

    Every statistic is of ``train`` alone: medians, minima, maxima, categories. The steps are Spark's own, so
    the pipeline is saved and loaded without this package.

    1. A flag (0 or 1) says where a column of ``flagged`` was null, if it ever is in ``train``.
    2. A null number becomes the column's median. Columns without any number in ``train`` are left out.
    3. x' = (x - min) / (max - min); a column with one value becomes 0. Other people's may lie out of [0, 1].
    4. A category becomes a column of 0 and 1; one that ``train`` does not have is 0 in all of them.

    Args:
        train: the training people; one row each.
        numeric: double columns, null where not known.
        categorical: text columns without null.
        flagged: the numeric columns whose absence is a feature.

    Raises:
        InputError: when ``train`` has no number and no category at all.

    Source: Kumar et al. 2025, Eq. (1); its section on preprocessing for the rest.
    """
    rows, known = _count_known(train, numeric)
    present = [name for name in numeric if known[name]]
    absent = [name for name in flagged if 0 < known.get(name, 0) < rows]
    fitted = _Chain(train)
    if absent:
        fitted.add(_flags(absent))
    scaled = _scale(fitted, present)
    encoded = _encode(fitted, categorical)
    inputs = [*scaled, *encoded, *(f"_{name}_absent" for name in absent)]
    if not inputs:
        raise InputError("the training people have no feature with a value")
    fitted.add(VectorAssembler(inputCols=inputs, outputCol=FEATURES))
    return PipelineModel(fitted.stages)


def feature_count(prepared: DataFrame) -> int:
    """Length of the vectors that a fitted pipeline has made; no job runs for it."""
    return int(prepared.schema[FEATURES].metadata["ml_attr"]["num_attrs"])


class _Chain:
    """Fitted stages, and the training people as the last of them leaves them."""

    def __init__(self, train: DataFrame) -> None:
        self.stages: list[Transformer] = []
        self.train = train

    def add(self, stage: Transformer) -> None:
        self.stages.append(stage)
        self.train = stage.transform(self.train)


def _count_known(train: DataFrame, numeric: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Rows of ``train``, and of each column the rows that are not null."""
    counts = train.agg(F.count(F.lit(1)).alias("_rows"), *(F.count(name).alias(name) for name in numeric))
    row = counts.collect()[0].asDict()
    return row.pop("_rows"), row


def _flags(columns: Sequence[str]) -> SQLTransformer:
    flags = ", ".join(f"CAST(`{name}` IS NULL AS DOUBLE) AS `_{name}_absent`" for name in columns)
    return SQLTransformer(statement=f"SELECT *, {flags} FROM __THIS__")  # noqa: S608 - names of columns, no input


def _scale(fitted: _Chain, numeric: Sequence[str]) -> list[str]:
    """Impute and scale the columns; returns the column that holds them."""
    if not numeric:
        return []
    imputed = [f"_{name}_known" for name in numeric]
    # relativeError 0: the exact median, whatever the partitions
    imputer = Imputer(inputCols=list(numeric), outputCols=imputed, strategy="median", relativeError=0.0)
    fitted.add(imputer.fit(fitted.train))
    fitted.add(VectorAssembler(inputCols=imputed, outputCol="_numbers"))
    scaler: MinMaxScalerModel = MinMaxScaler(inputCol="_numbers", outputCol="_scaled").fit(fitted.train)
    fitted.add(scaler)
    # Spark's scaler puts 0.5 where minimum and maximum are equal; Eq. 1 is 0 / 0 there, and 0 says nothing
    spread = scaler.originalMax.toArray() > scaler.originalMin.toArray()
    fitted.add(
        ElementwiseProduct(
            scalingVec=Vectors.dense(spread.astype(float)), inputCol="_scaled", outputCol="_normal"
        )
    )
    return ["_normal"]


def _encode(fitted: _Chain, categorical: Sequence[str]) -> list[str]:
    """One-hot encode the columns; returns the columns that hold the vectors."""
    if not categorical:
        return []
    indexed = [f"_{name}_index" for name in categorical]
    encoded = [f"_{name}_is" for name in categorical]
    # in alphabetical order: an order by frequency would tell the counts of small categories apart
    indexer = StringIndexer(
        inputCols=list(categorical),
        outputCols=indexed,
        handleInvalid="keep",
        stringOrderType="alphabetAsc",
    )
    fitted.add(indexer.fit(fitted.train))
    # the index after the last is 'not seen': dropLast makes it all zeros and leaves each category its column
    encoder = OneHotEncoder(inputCols=indexed, outputCols=encoded, dropLast=True)
    fitted.add(encoder.fit(fitted.train))
    return encoded
