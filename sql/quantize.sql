--
-- quantize, dequantize: rows of embedding tables in fewer bytes
--
SELECT bits, quantize('{1,-0.5,0.25}', bits) AS row, dequantize(quantize('{1,-0.5,0.25}', bits)) AS back FROM unnest('{4,8,16}'::int[]) bits;
SELECT bits, dequantize(quantize(x, bits)) AS back, length(quantize(x, bits)) AS bytes FROM unnest('{4,8,16}'::int[]) bits, (VALUES ('{}'::real[]), ('{0,0,0}'), ('{-3}'), ('{1e-45,0}'), ('{1e38,-3.4028235e38}')) v(x);
-- each type of numbers
SELECT count(DISTINCT row) AS rows FROM unnest(ARRAY[quantize('{1,2,3}'::real[], 8), quantize('{1,2,3}'::float8[], 8), quantize('{1,2,3}'::numeric[], 8), quantize('{1,2,3}'::int[], 8), quantize('{1,2,3}', 8), quantize(ARRAY[1,2,3], 8)]) row;
SELECT quantize(NULL, 8), quantize('{1}', NULL), dequantize(NULL);

-- rounding: no number is further off than half a step; with 4 bits no sum of squares is above that of the plain scale
CREATE TEMP TABLE row AS SELECT i, ARRAY(SELECT (10 ^ (i % 60 - 30) * (hashint8extended(i, d) % 1000000) / 1e6)::real FROM generate_series(1, 1 + i % 40) d) AS x FROM generate_series(1, 3000) i;
CREATE TEMP TABLE element AS SELECT i, d, x[d] AS x, (SELECT max(abs(v)) FROM unnest(x) v)::float8 AS most, (dequantize(quantize(x, 4)))[d] AS q4, (dequantize(quantize(x, 8)))[d] AS q8, (dequantize(quantize(x, 16)))[d] AS q16
	FROM row, generate_subscripts(x, 1) d;
SELECT count(*) > 50000 AS many, bool_and(abs(x - q8) <= most / 254 * 1.00001) AS q8, bool_and(abs(x - q16) <= abs(x) / 2047 + most * 2.0 ^ -25) AS q16, count(*) FILTER (WHERE x = 0 AND (q4 <> 0 OR q8 <> 0 OR q16 <> 0)) AS zeros FROM element;
SELECT bool_and(least4 <= plain4 + 1e-6) AS at_most, sum((least4 < plain4 * 0.95)::int) > 1000 AS often_less FROM (
	SELECT i, sum((x - q4) ^ 2 / most ^ 2) AS least4, sum((x - round(x / (most / 7)) * (most / 7)) ^ 2 / most ^ 2) AS plain4 FROM element GROUP BY i) s;
-- what was rounded stays
SELECT bool_and(dequantize(quantize(dequantize(quantize(x, 8)), 8)) = dequantize(quantize(x, 8))) AS q8, bool_and(dequantize(quantize(dequantize(quantize(x, 16)), 16)) = dequantize(quantize(x, 16))) AS q16 FROM row;
SELECT bool_and(length(quantize(x, 4)) = 5 + (cardinality(x) + 1) / 2 AND length(quantize(x, 8)) = 5 + cardinality(x) AND length(quantize(x, 16)) = 5 + 2 * cardinality(x)) AS sizes FROM row;
-- halves with a scale of 1 are the numbers themselves
SELECT dequantize('\x100000803f003c00c0ff7b01000080'), dequantize('\x040000803f7f80'), dequantize('\x840000803f7f08');

SELECT quantize('{1}', 5);
SELECT quantize('{1,NaN}', 8);
SELECT quantize('{1,NULL}', 8);
SELECT quantize('{{1,2},{3,4}}', 8);
SELECT quantize('{1e39}', 8);
SELECT dequantize('');
SELECT dequantize('\x0800');
SELECT dequantize('\x08000080');
SELECT dequantize('\x050000803f00');
SELECT dequantize('\x880000803f00');
SELECT dequantize('\x08000080bf00');
SELECT dequantize('\x080000c07f00');
SELECT dequantize('\x100000803f00');
SELECT dequantize('\x100000803f007c');
SELECT dequantize('\x08ffff7f7f7f');
SELECT dequantize('\x840000803f');
SELECT dequantize('\x840000803f11');
