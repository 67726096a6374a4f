/*
 * product_blocks.h
 *	  The blocked product for one type of number: included by product.c with
 *	  REAL, NAME, MULTIPLY and TILE defined.
 *
 * No guard: it is a template.  Without REAL it is empty, so that it compiles
 * alone.
 */
#ifdef REAL

/* Copy rows of op(a) into panels of ROWS, zeros where a panel is not full. */
static void
NAME(pack_rows)(HxOrientation op, const REAL *a, int stride, int row, int rows,
				int inner, int depth, REAL *packed)
{
	for (int r = 0; r < rows; r += ROWS)
	{
		for (int i = 0; i < depth; i++)
		{
			for (int t = 0; t < ROWS; t++, packed++)
			{
				size_t at = row + r + t;

				if (r + t >= rows)
					*packed = 0;
				else if (op == HX_AS_IS)
					*packed = a[at * stride + inner + i];
				else
					*packed = a[(size_t) (inner + i) * stride + at];
			}
		}
	}
}

/* Copy columns of op(b) into panels as wide as a vector, zeros likewise. */
static void
NAME(pack_columns)(HxOrientation op, const REAL *b, int stride, int inner,
				   int depth, int column, int columns, REAL *packed)
{
	const int lanes = WIDE / sizeof(REAL);

	for (int c = 0; c < columns; c += lanes)
	{
		int full = columns - c < lanes ? columns - c : lanes;

		for (int i = 0; i < depth; i++, packed += lanes)
		{
			const REAL *from =
				op == HX_AS_IS ? b + (size_t) (inner + i) * stride + column + c
							   : b + (size_t) (column + c) * stride + inner + i;
			int step = op == HX_AS_IS ? 1 : stride;

			for (int t = 0; t < full; t++)
				packed[t] = from[(size_t) t * step];
			for (int t = full; t < lanes; t++)
				packed[t] = 0;
		}
	}
}

/* Add the product of two packed blocks to a part of c. */
static void
NAME(add_block)(const REAL *a, const REAL *b, int rows, int columns, int depth,
				REAL *c, int stride)
{
	const int lanes = WIDE / sizeof(REAL);

	for (int j = 0; j < columns; j += lanes)
	{
		int wide = columns - j < lanes ? columns - j : lanes;

		for (int i = 0; i < rows; i += ROWS)
		{
			int high = rows - i < ROWS ? rows - i : ROWS;
			REAL tile[ROWS * WIDE / sizeof(REAL)] = {0};
			REAL *to = c + (size_t) i * stride + j;

			for (int r = 0; r < high; r++)
				memcpy(tile + r * lanes, to + (size_t) r * stride,
					   wide * sizeof(REAL));
			TILE(a + (size_t) i * depth, b + (size_t) j * depth, depth, tile);
			for (int r = 0; r < high; r++)
				memcpy(to + (size_t) r * stride, tile + r * lanes,
					   wide * sizeof(REAL));
		}
	}
}

/* See matrix.h.  Sums run over the inner length in rising order. */
void
MULTIPLY(HxOrientation op_a, HxOrientation op_b, int m, int n, int k,
		 const REAL *a, const REAL *b, REAL keep, REAL *c)
{
	const int spread = SPREAD / sizeof(REAL);
	REAL *left = hx_matrix_alloc(HEIGHT * DEPTH, sizeof(REAL));
	REAL *right = hx_matrix_alloc((size_t) spread * DEPTH, sizeof(REAL));

	for (size_t i = 0; i < (size_t) m * n; i++)
		c[i] = keep == 0 ? 0 : c[i] * keep;
	for (int column = 0; column < n; column += spread)
	{
		int columns = n - column < spread ? n - column : spread;

		for (int inner = 0; inner < k; inner += DEPTH)
		{
			int depth = k - inner < DEPTH ? k - inner : DEPTH;

			hx_matrix_interrupt();
			NAME(pack_columns)
			(op_b, b, op_b == HX_AS_IS ? n : k, inner, depth, column, columns,
			 right);
			for (int row = 0; row < m; row += HEIGHT)
			{
				int rows = m - row < HEIGHT ? m - row : HEIGHT;

				NAME(pack_rows)
				(op_a, a, op_a == HX_AS_IS ? k : m, row, rows, inner, depth,
				 left);
				NAME(add_block)
				(left, right, rows, columns, depth,
				 c + (size_t) row * n + column, n);
			}
		}
	}
	hx_matrix_free(left);
	hx_matrix_free(right);
}

#endif /* REAL */
