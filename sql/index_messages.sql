-- What an index says of rows, queries and options that it cannot take
CREATE TABLE told (id int, g int, c bincode(16), e real[], k real[]);
INSERT INTO told SELECT i, i % 5, (i * 40503)::bit(16)::bincode, ARRAY[i, i % 7, i % 11]::real[], ARRAY[ARRAY[i, 1]]::real[]
	FROM generate_series(1, 1200) i;

-- a type that has no length is not told to be declared with one
CREATE TABLE told_empty (e real[]);
CREATE INDEX ON told_empty USING hashemb (e real_l2_ops);
DROP TABLE told_empty;

-- dims, where the column's type tells: the same or none
CREATE INDEX ON told USING hashemb (c) WITH (dims = 8);
CREATE INDEX told_c ON told USING hashemb (c bincode_ip_ops, g) WITH (dims = 16);
ALTER INDEX told_c SET (dims = 17);
REINDEX INDEX told_c;
ALTER INDEX told_c RESET (dims);
REINDEX INDEX told_c;

-- rows that do not fit one of several indexes: which one
CREATE INDEX told_e ON told USING hashemb (e real_cosine_ops, g);
CREATE INDEX told_k ON told USING hashemb (k maxsim_ops);
INSERT INTO told (e) VALUES ('{1,2}');
INSERT INTO told (e) VALUES ('{1,2,NaN}');
INSERT INTO told (k) VALUES ('{{1,2,3}}');
UPDATE told SET k = '{1,2}' WHERE id = 1;

-- queries given as an array: no NULL is taken for 0
SELECT hashemb_calibrate('told_c', ARRAY[array_fill(1::real, '{16}'), array_fill(NULL::real, '{16}')]);
SELECT hashemb_measure_recall('told_c', 10, ARRAY[array_fill(NULL::real, '{16}')]);
SELECT hashemb_measure_recall('told_e', 10, '{{1,2,NULL},{1,2,3}}'::real[]);
SELECT hashemb_measure_recall('told_c', 10, ARRAY[(SELECT c FROM told WHERE id = 1), NULL]);
SELECT measured FROM hashemb_measure_recall('told_e', 10, '{{1,2,3},{3,2,1}}'::real[]);
DROP TABLE told;
