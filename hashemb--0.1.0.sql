/* hashemb--0.1.0.sql: the whole SQL surface of the extension, in sections */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION hashemb" to load this file. \quit

-- ---------------------------------------------------------------------------
-- Section 1: type bincode
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 2: type svec
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 3: bincode and svec together, dense arrays
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 4: access method hashemb and operator classes for vectors
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 5: operator classes for attribute columns
-- ---------------------------------------------------------------------------

-- how values are stored: each returns the address of an encoder's description

CREATE FUNCTION hashemb_attr_bool(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_bool'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_bool(internal) IS
	'how a hashemb index stores booleans';

CREATE FUNCTION hashemb_attr_int2(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_int2'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_int2(internal) IS
	'how a hashemb index stores smallint';

CREATE FUNCTION hashemb_attr_int4(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_int4'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_int4(internal) IS
	'how a hashemb index stores integer and date';

CREATE FUNCTION hashemb_attr_int8(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_int8'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_int8(internal) IS
	'how a hashemb index stores bigint, time and timestamps';

CREATE FUNCTION hashemb_attr_oid(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_oid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_oid(internal) IS
	'how a hashemb index stores oid';

CREATE FUNCTION hashemb_attr_float4(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_float4'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_float4(internal) IS
	'how a hashemb index stores real';

CREATE FUNCTION hashemb_attr_float8(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_float8'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_float8(internal) IS
	'how a hashemb index stores double precision';

CREATE FUNCTION hashemb_attr_numeric(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_numeric'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_numeric(internal) IS
	'how a hashemb index stores numeric';

CREATE FUNCTION hashemb_attr_interval(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_interval'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_interval(internal) IS
	'how a hashemb index stores interval';

CREATE FUNCTION hashemb_attr_uuid(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_uuid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_uuid(internal) IS
	'how a hashemb index stores uuid';

CREATE FUNCTION hashemb_attr_text(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_text'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_text(internal) IS
	'how a hashemb index stores text';

CREATE FUNCTION hashemb_attr_bpchar(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_bpchar'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_bpchar(internal) IS
	'how a hashemb index stores character(n)';

CREATE FUNCTION hashemb_attr_name(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_name'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_name(internal) IS
	'how a hashemb index stores name';

CREATE FUNCTION hashemb_attr_inet(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_inet'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_inet(internal) IS
	'how a hashemb index stores inet';

CREATE FUNCTION hashemb_attr_enum(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_enum'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_enum(internal) IS
	'how a hashemb index stores enum types';

CREATE FUNCTION hashemb_attr_array(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_array(internal) IS
	'how a hashemb index stores arrays';

-- numbers: one family for each of integers and floats, for operators between
-- types

CREATE OPERATOR FAMILY integer_ops USING hashemb;
COMMENT ON OPERATOR FAMILY integer_ops USING hashemb IS
	'integers of all sizes, stored exactly';

CREATE OPERATOR CLASS int2_ops
	DEFAULT FOR TYPE int2 USING hashemb FAMILY integer_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int2(internal);
COMMENT ON OPERATOR CLASS int2_ops USING hashemb IS
	'int2 attributes, stored exactly';

CREATE OPERATOR CLASS int4_ops
	DEFAULT FOR TYPE int4 USING hashemb FAMILY integer_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int4(internal);
COMMENT ON OPERATOR CLASS int4_ops USING hashemb IS
	'int4 attributes, stored exactly';

CREATE OPERATOR CLASS int8_ops
	DEFAULT FOR TYPE int8 USING hashemb FAMILY integer_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS int8_ops USING hashemb IS
	'int8 attributes, stored exactly';

ALTER OPERATOR FAMILY integer_ops USING hashemb ADD
	OPERATOR 1 < (int2, int4), OPERATOR 2 <= (int2, int4),
	OPERATOR 3 = (int2, int4), OPERATOR 4 >= (int2, int4),
	OPERATOR 5 > (int2, int4),
	OPERATOR 1 < (int2, int8), OPERATOR 2 <= (int2, int8),
	OPERATOR 3 = (int2, int8), OPERATOR 4 >= (int2, int8),
	OPERATOR 5 > (int2, int8),
	OPERATOR 1 < (int4, int2), OPERATOR 2 <= (int4, int2),
	OPERATOR 3 = (int4, int2), OPERATOR 4 >= (int4, int2),
	OPERATOR 5 > (int4, int2),
	OPERATOR 1 < (int4, int8), OPERATOR 2 <= (int4, int8),
	OPERATOR 3 = (int4, int8), OPERATOR 4 >= (int4, int8),
	OPERATOR 5 > (int4, int8),
	OPERATOR 1 < (int8, int2), OPERATOR 2 <= (int8, int2),
	OPERATOR 3 = (int8, int2), OPERATOR 4 >= (int8, int2),
	OPERATOR 5 > (int8, int2),
	OPERATOR 1 < (int8, int4), OPERATOR 2 <= (int8, int4),
	OPERATOR 3 = (int8, int4), OPERATOR 4 >= (int8, int4),
	OPERATOR 5 > (int8, int4);

CREATE OPERATOR FAMILY float_ops USING hashemb;
COMMENT ON OPERATOR FAMILY float_ops USING hashemb IS
	'floating-point numbers, stored exactly';

CREATE OPERATOR CLASS float4_ops
	DEFAULT FOR TYPE float4 USING hashemb FAMILY float_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_float4(internal);
COMMENT ON OPERATOR CLASS float4_ops USING hashemb IS
	'float4 attributes, stored exactly';

CREATE OPERATOR CLASS float8_ops
	DEFAULT FOR TYPE float8 USING hashemb FAMILY float_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_float8(internal);
COMMENT ON OPERATOR CLASS float8_ops USING hashemb IS
	'float8 attributes, stored exactly';

ALTER OPERATOR FAMILY float_ops USING hashemb ADD
	OPERATOR 1 < (float4, float8), OPERATOR 2 <= (float4, float8),
	OPERATOR 3 = (float4, float8), OPERATOR 4 >= (float4, float8),
	OPERATOR 5 > (float4, float8),
	OPERATOR 1 < (float8, float4), OPERATOR 2 <= (float8, float4),
	OPERATOR 3 = (float8, float4), OPERATOR 4 >= (float8, float4),
	OPERATOR 5 > (float8, float4);

-- other types that are stored exactly

CREATE OPERATOR CLASS bool_ops
	DEFAULT FOR TYPE bool USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bool(internal);
COMMENT ON OPERATOR CLASS bool_ops USING hashemb IS
	'bool attributes, stored exactly';

CREATE OPERATOR CLASS oid_ops
	DEFAULT FOR TYPE oid USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_oid(internal);
COMMENT ON OPERATOR CLASS oid_ops USING hashemb IS
	'oid attributes, stored exactly';

CREATE OPERATOR CLASS date_ops
	DEFAULT FOR TYPE date USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int4(internal);
COMMENT ON OPERATOR CLASS date_ops USING hashemb IS
	'date attributes, stored exactly';

CREATE OPERATOR CLASS time_ops
	DEFAULT FOR TYPE time USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS time_ops USING hashemb IS
	'time attributes, stored exactly';

CREATE OPERATOR CLASS timestamp_ops
	DEFAULT FOR TYPE timestamp USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS timestamp_ops USING hashemb IS
	'timestamp attributes, stored exactly';

CREATE OPERATOR CLASS timestamptz_ops
	DEFAULT FOR TYPE timestamptz USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS timestamptz_ops USING hashemb IS
	'timestamptz attributes, stored exactly';

CREATE OPERATOR CLASS uuid_ops
	DEFAULT FOR TYPE uuid USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_uuid(internal);
COMMENT ON OPERATOR CLASS uuid_ops USING hashemb IS
	'uuid attributes, stored exactly; ranges by the first 8 bytes';

CREATE OPERATOR CLASS enum_ops
	DEFAULT FOR TYPE anyenum USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_enum(internal);
COMMENT ON OPERATOR CLASS enum_ops USING hashemb IS
	'attributes of enum types, stored exactly';

-- types whose values need rechecking

CREATE OPERATOR CLASS numeric_ops
	DEFAULT FOR TYPE numeric USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_numeric(internal);
COMMENT ON OPERATOR CLASS numeric_ops USING hashemb IS
	'numeric attributes, rounded to double precision';

CREATE OPERATOR CLASS interval_ops
	DEFAULT FOR TYPE interval USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_interval(internal);
COMMENT ON OPERATOR CLASS interval_ops USING hashemb IS
	'interval attributes, by their length in microseconds';

CREATE OPERATOR CLASS text_ops
	DEFAULT FOR TYPE text USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_text(internal);
COMMENT ON OPERATOR CLASS text_ops USING hashemb IS
	'text attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS bpchar_ops
	DEFAULT FOR TYPE bpchar USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bpchar(internal);
COMMENT ON OPERATOR CLASS bpchar_ops USING hashemb IS
	'bpchar attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS name_ops
	DEFAULT FOR TYPE name USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_name(internal);
COMMENT ON OPERATOR CLASS name_ops USING hashemb IS
	'name attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS inet_ops
	DEFAULT FOR TYPE inet USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_inet(internal);
COMMENT ON OPERATOR CLASS inet_ops USING hashemb IS
	'inet attributes, hashed; ranges by network address';

CREATE OPERATOR CLASS array_ops
	DEFAULT FOR TYPE anyarray USING hashemb AS
	OPERATOR 7 && (anyarray, anyarray), OPERATOR 8 @> (anyarray, anyarray),
	OPERATOR 9 <@ (anyarray, anyarray), OPERATOR 10 = (anyarray, anyarray),
	FUNCTION 1 hashemb_attr_array(internal);
COMMENT ON OPERATOR CLASS array_ops USING hashemb IS
	'array attributes, as signatures of their elements';

-- ---------------------------------------------------------------------------
-- Section 6: introspection
-- ---------------------------------------------------------------------------
