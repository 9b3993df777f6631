"""The four collections of a Milvus gallery and the limits of their fields. Knows no rows' meaning.

People and photographs carry the vectors; crops lie apart, so that searching never loads them; everything else is a
record: a key, a kind, an owner, a time and a text.
"""

from __future__ import annotations

from typing import Any

IDENTITIES, PHOTOS, CROPS, RECORDS = "byteface_identities", "byteface_photos", "byteface_crops", "byteface_records"
COLLECTIONS = (CROPS, PHOTOS, IDENTITIES, RECORDS)
"""In the order in which a change writes them."""

VECTOR = {IDENTITIES: "template", PHOTOS: "embedding", CROPS: "unused", RECORDS: "unused"}
"""Every collection of Milvus needs a vector; that of crops and records means nothing."""

UNUSED_DIM = 2

ID_BYTES = 512
TEXT_BYTES = 65_535  # Milvus' longest string
PART_CHARS = 65_000
"""A long text, a crop in base64 or a record, is an array of parts of this length."""
MAX_PARTS = 1024

_TEXTS = {
    IDENTITIES: {"name": 1024, "cover": ID_BYTES, "created_at": 64},
    PHOTOS: {"identity_id": ID_BYTES, "source": TEXT_BYTES, "added_at": 64, "sha256": 128, "landmarks": 128},
    CROPS: {},
    RECORDS: {"kind": 32, "owner": ID_BYTES, "at": 64},
}
_PARTS = {IDENTITIES: "metadata", CROPS: "body", RECORDS: "body"}
_INDEXED = {IDENTITIES: ("name",), PHOTOS: ("identity_id",), CROPS: (), RECORDS: ("kind", "owner")}

SCALARS = {
    IDENTITIES: ["id", "name", "photo_count", "cover", "created_at", "metadata"],
    PHOTOS: ["id", "identity_id", "quality", "source", "added_at", "sha256", "landmarks"],
    CROPS: ["id", "body"],
    RECORDS: ["id", "kind", "owner", "at", "body"],
}
"""Everything but the vector."""


def make(client: Any, collection: str, dim: int, index: str) -> None:
    """Makes one collection with its indexes and loads it.

    Consistency is strong: a read that begins after a write has ended sees it, on whichever machine either ran. So
    somebody enrolled is found, and somebody erased is not, at once.
    """
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=ID_BYTES)
    for name, limit in _TEXTS[collection].items():
        schema.add_field(name, DataType.VARCHAR, max_length=limit)
    if collection == IDENTITIES:
        schema.add_field("photo_count", DataType.INT64)
    if collection == PHOTOS:
        schema.add_field("quality", DataType.DOUBLE)
    if collection in _PARTS:
        schema.add_field(
            _PARTS[collection], DataType.ARRAY, element_type=DataType.VARCHAR,
            max_length=TEXT_BYTES, max_capacity=MAX_PARTS,
        )  # fmt: skip
    vector = VECTOR[collection]
    schema.add_field(vector, DataType.FLOAT_VECTOR, dim=UNUSED_DIM if vector == "unused" else dim)
    # one shard: one request is one message, seen whole or not at all
    client.create_collection(collection, schema=schema, consistency_level="Strong", num_shards=1)
    client.create_index(collection, _indexes(client, collection, index), sync=False)
    client.load_collection(collection)


def _indexes(client: Any, collection: str, index: str) -> Any:
    indexes = client.prepare_index_params()
    if collection == IDENTITIES and index == "hnsw":
        # M and efConstruction as in Malkov and Yashunin, 2018: well above what 128 to 512 numbers need
        indexes.add_index("template", index_type="HNSW", metric_type="IP", params={"M": 32, "efConstruction": 200})
    else:
        indexes.add_index(VECTOR[collection], index_type="FLAT", metric_type="IP")
    for field in _INDEXED[collection]:
        indexes.add_index(field, index_type="INVERTED")
    return indexes
