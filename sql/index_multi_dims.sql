-- Dimensions of tokens that nobody has named: those of the first list with tokens
CREATE TABLE multi_dims (id int, tokens real[]);
CREATE INDEX multi_dims_idx ON multi_dims USING hashemb (tokens maxsim_ops);
INSERT INTO multi_dims VALUES (1, NULL), (2, '{}');
CREATE INDEX multi_dims_idx ON multi_dims USING hashemb (tokens maxsim_ops);
INSERT INTO multi_dims VALUES (3, '{{1,2,3},{0,1,0}}'), (4, '{{0,0,1}}');
CREATE INDEX multi_dims_idx ON multi_dims USING hashemb (tokens maxsim_ops);
SELECT reloptions FROM pg_class WHERE relname = 'multi_dims_idx';
TRUNCATE multi_dims;
REINDEX TABLE multi_dims;
INSERT INTO multi_dims VALUES (1, '{{1,2}}');
INSERT INTO multi_dims VALUES (1, '{{1,2,3}}'), (2, '{{3,0,0}}');
SET enable_seqscan = off;
SELECT id FROM multi_dims ORDER BY tokens @# '{{1,0,0},{0.5,0,0}}' LIMIT 1;
RESET enable_seqscan;
-- lists of codes; a list that is none is told of
CREATE TABLE multi_dims_codes (id int, tokens bincode[]);
INSERT INTO multi_dims_codes VALUES (1, '{1100,0011}'), (2, '{1111}');
CREATE INDEX multi_dims_codes_idx ON multi_dims_codes USING hashemb (tokens bincode_maxsim_ops);
SELECT reloptions FROM pg_class WHERE relname = 'multi_dims_codes_idx';
CREATE TABLE multi_dims_flat (id int, tokens real[]);
INSERT INTO multi_dims_flat VALUES (1, '{1,2,3}');
CREATE INDEX ON multi_dims_flat USING hashemb (tokens maxsim_ops);
