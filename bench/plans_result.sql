-- What bench/plans measured: each cell, and a summary
SET search_path = plans, public;
\pset format aligned
\pset tuples_only off
\pset border 1
\echo 'processor milliseconds, planning included: as planned, the fastest plan, the node'
SELECT kind, columns, k, round(ms::numeric, 3) AS chosen, round(best::numeric, 3) AS fastest, round(ratio::numeric, 2) AS ratio,
	CASE WHEN far THEN 'FAR' WHEN same THEN 'same' WHEN near THEN '' ELSE 'above' END AS "1.3 or .05", variant, round(node::numeric, 3) AS node, plan
	FROM result ORDER BY cell;
-- "own": the same among the ways that hashemb's costs decide between, the node and what the planner takes without it; how that uses its own indexes is its choice
SELECT columns, count(*) AS cells, count(*) FILTER (WHERE near) AS within, round(100.0 * count(*) FILTER (WHERE near) / count(*), 1) AS percent,
	count(*) FILTER (WHERE far) AS "above 2", round(max(CASE WHEN same THEN 1 ELSE ratio END)::numeric, 2) AS greatest,
	round(100.0 * count(*) FILTER (WHERE near OR ms <= 1.3 * own OR ms <= own + 0.05) / count(*), 1) AS "own, percent"
	FROM result r, LATERAL (SELECT min(m.ms) AS own FROM medians m WHERE m.cell = r.cell AND m.variant IN ('node', 'node alone', 'other')) o GROUP BY ROLLUP (columns) ORDER BY 1 NULLS LAST;
