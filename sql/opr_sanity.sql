-- What the catalogs say of the extension's objects
CREATE VIEW members AS SELECT classid, objid, pg_describe_object(classid, objid, 0) AS name FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hashemb') AND deptype = 'e';
CREATE VIEW functions AS SELECT p.*, p.oid::regprocedure AS signature FROM pg_proc p JOIN members ON classid = 'pg_proc'::regclass AND objid = p.oid;
SELECT count(*) > 100 AS many FROM functions;

-- the functions that are not immutable, strict and safe in parallel
SELECT signature, provolatile AS volatility, proisstrict AS strict, proparallel AS parallel FROM functions
	WHERE (provolatile, proisstrict, proparallel) <> ('i', true, 's') AND prokind = 'f' ORDER BY signature::text COLLATE "C";
SELECT signature, provolatile AS volatility, proparallel AS parallel FROM functions
	WHERE prokind = 'a' AND (provolatile, proparallel) <> ('i', 's') ORDER BY signature::text COLLATE "C";
-- aggregates can be computed in parallel, and free of order
SELECT a.aggfnoid::regprocedure FROM pg_aggregate a JOIN functions f ON f.oid = a.aggfnoid WHERE aggcombinefn = 0 ORDER BY 1;
-- what returns internal also takes it, so that SQL cannot call it
SELECT signature FROM functions WHERE prorettype = 'internal'::regtype AND NOT 'internal'::regtype = ANY (proargtypes) ORDER BY 1;
-- functions in C come from the extension's own library
SELECT signature FROM functions WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') AND probin <> '$libdir/hashemb' ORDER BY 1;

-- what sends and receives values says in which form
SELECT signature, obj_description(oid, 'pg_proc') FROM functions WHERE proname ~ '_(send|recv)$' AND obj_description(oid, 'pg_proc') !~ '^binary (in|out)put: .';
SELECT count(*) > 6 AS several FROM functions WHERE proname ~ '_(send|recv)$';

-- operators: the function's result and volatility, commutators that point back, negators likewise
CREATE VIEW operators AS SELECT o.*, o.oid::regoperator AS signature FROM pg_operator o JOIN members ON classid = 'pg_operator'::regclass AND objid = o.oid;
SELECT signature FROM operators o JOIN pg_proc p ON p.oid = oprcode WHERE oprresult <> prorettype OR provolatile <> 'i' OR NOT proisstrict ORDER BY 1;
SELECT o.signature FROM operators o JOIN pg_operator c ON c.oid = o.oprcom WHERE c.oprcom <> o.oid OR c.oprresult <> o.oprresult
	OR c.oprleft <> o.oprright OR c.oprright <> o.oprleft ORDER BY 1;
SELECT o.signature FROM operators o JOIN pg_operator n ON n.oid = o.oprnegate WHERE n.oprnegate <> o.oid ORDER BY 1;
SELECT signature FROM operators WHERE oprname IN ('<~>', '<%>', '<#>', '<=>', '<->', '<+>') AND (oprcom = 0 OR oprresult <> 'float8'::regtype) ORDER BY 1;
SELECT signature FROM operators WHERE oprresult = 'bool'::regtype AND (oprrest = 0 OR oprjoin = 0) ORDER BY 1;
-- operators that only exist because a later one names them
SELECT signature FROM operators WHERE oprcode = 0 ORDER BY 1;

-- operator classes
CREATE VIEW classes AS SELECT c.*, amname FROM pg_opclass c JOIN members ON classid = 'pg_opclass'::regclass AND objid = c.oid JOIN pg_am a ON a.oid = opcmethod;
SELECT amname, opcname, opcintype::regtype, opcdefault FROM classes ORDER BY amname, opcname::text COLLATE "C", opcintype;
SELECT opcname FROM classes WHERE NOT amvalidate(oid);
-- operators that order by distance are those of the float family, and search operators return truth values
SELECT amopopr::regoperator FROM pg_amop JOIN classes ON opcfamily = amopfamily JOIN pg_operator o ON o.oid = amopopr
	WHERE CASE amoppurpose WHEN 'o' THEN oprresult <> 'float8'::regtype OR amopsortfamily <> (SELECT opcfamily FROM pg_opclass WHERE opcname = 'float8_ops' AND opcmethod = 403)
		ELSE oprresult <> 'bool'::regtype END;
-- the planner may turn every distance around to have the column on the left
SELECT amopopr::regoperator FROM pg_amop JOIN classes ON opcfamily = amopfamily JOIN pg_operator o ON o.oid = amopopr WHERE amoppurpose = 'o' AND oprcom = 0;

-- access method and its properties
SELECT amname, amtype, amhandler FROM pg_am WHERE amname = 'hashemb';
SELECT property, pg_indexam_has_property((SELECT oid FROM pg_am WHERE amname = 'hashemb'), property)
	FROM unnest('{can_order,can_unique,can_multi_col,can_exclude,can_include}'::text[]) property;
CREATE TABLE opr_sanity (c bincode(8), a int);
CREATE INDEX opr_sanity_idx ON opr_sanity USING hashemb (c, a);
SELECT property, pg_index_has_property('opr_sanity_idx', property) FROM unnest('{clusterable,index_scan,bitmap_scan,backward_scan}'::text[]) property;
SELECT property, pg_index_column_has_property('opr_sanity_idx', 1, property) AS vector, pg_index_column_has_property('opr_sanity_idx', 2, property) AS attribute
	FROM unnest('{orderable,distance_orderable,returnable,search_array,search_nulls}'::text[]) property;
DROP TABLE opr_sanity;

-- every object explains itself, members of operator classes and types' arrays apart
SELECT name FROM members WHERE obj_description(objid, classid::regclass::name) IS NULL
	AND classid NOT IN ('pg_cast'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass)
	AND NOT (classid = 'pg_type'::regclass AND (SELECT typcategory = 'A' FROM pg_type WHERE oid = objid)) ORDER BY name COLLATE "C";
DROP VIEW members CASCADE;
