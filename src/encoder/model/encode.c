/*
 * encode.c
 *	  SQL functions that compute with a model: encode, project, decode.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "encoder/model/apply.h"
#include "encoder/model/codebook.h"
#include "encoder/model/decode.h"
#include "encoder/model/input.h"
#include "encoder/model/model.h"
#include "encoder/model/words.h"
#include "kernel/kernel.h"
#include "type/bincode.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_array);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_array_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_svec_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_text_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_array);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_array_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_svec_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_text_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_document);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_document);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_decode);

/* Type of the third argument, if the function's name does not say it */
typedef enum Third
{
	VIEW_NUMBER, /* integer, or none */
	VIEW_NAME	 /* text: "query", or a number */
} Third;

/* The view of queries; error if the encoder has none */
static int
query_view(const HxModel *model)
{
	if (model->view[0].query == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("encoder has no view \"query\""),
				 errhint("Most encoders that are trained by \"random\", "
						 "\"pca\" or \"itq\" with \"center\" have one.")));
	return HX_VIEW_QUERY;
}

/*
 * The view that the third argument names, from 0, or HX_VIEW_QUERY; error if
 * there is none.  Parameters without a type come as text, also of numbers.
 */
static int
view_argument(FunctionCallInfo fcinfo, Third third, const HxModel *model)
{
	int view = 1;

	if (PG_NARGS() > 2 && third == VIEW_NUMBER)
		view = PG_GETARG_INT32(2);
	else if (PG_NARGS() > 2)
	{
		char *name = text_to_cstring(PG_GETARG_TEXT_PP(2));

		if (strcmp(name, "query") == 0)
			return query_view(model);
		if (strlen(name) < 1 || strspn(name, "0123456789") != strlen(name))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("view \"%s\" is neither \"query\" nor a "
								   "number",
								   name)));
		view = pg_strtoint32(name);
	}
	if (view < 1 || view > (int) model->views)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder has no view %d, only 1 to %u", view,
							   model->views)));
	return view - 1;
}

/*
 * Output of the model in argument 0 for argument 1: *count numbers.  `lacks` is
 * what models that are no map of vectors have none of.
 */
static double *
compute(FunctionCallInfo fcinfo, HxInputType kind, Third third,
		const char *lacks, const HxModel **model, int *count, int *view)
{
	HxInput input;
	double *x;
	double *y;
	int width;

	*model = HxModelArgument(fcinfo, 0);
	HxRequireModel(*model, HX_VECTOR_FAMILIES, 0, lacks);
	*view = view_argument(fcinfo, third, *model);
	input = HxReadInput(PG_GETARG_DATUM(1), kind);
	x = HxEnterView(*model, *view == HX_VIEW_QUERY ? 0 : *view, &input, &width);
	y = palloc((*model)->dims * sizeof(double));
	*count = hx_apply_model(*model, *view, x, width,
							palloc(hx_scratch_size(*model)), y);
	if (*count < 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg(
				 "vector has %d dimensions, but the encoder takes %u or "
				 "one of its prefixes",
				 input.dims,
				 (*model)->view[*view == HX_VIEW_QUERY ? 0 : *view].inputs)));
	return y;
}

/* The code of the words of argument 1, by a codebook */
static Bincode *
encode_words(FunctionCallInfo fcinfo, HxInputType kind, Third third,
			 const HxModel *model)
{
	const HxBooks *books = &model->books;
	Bincode *code = HxNewBincode((int) model->dims, model->bits);
	double middle = books->codes / 2 - 0.5;
	uint32_t *word = palloc(books->count * sizeof(uint32_t));
	double *level = palloc(books->count * sizeof(double));
	double *x;

	(void) view_argument(fcinfo, third, model);
	x = HxEnterBooks(model, PG_GETARG_DATUM(1), kind);
	hx_assign_words(books, x, palloc(books->codes * sizeof(double)), word);
	for (uint32 i = 0; i < books->count; i++)
		level[i] = word[i] - middle;
	hx_kernels->steps->code(level, books->count, model->bits, code->data,
							HX_PLANE_BYTES(books->count));
	return code;
}

/*
 * Type of argument 1, for a model whose inputs are documents; error if a view is
 * named, for it has none
 */
static Oid
document_type(FunctionCallInfo fcinfo, HxInputType kind, Third third)
{
	if (PG_NARGS() > 2 && (third == VIEW_NAME || PG_GETARG_INT32(2) != 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder of documents has no views"),
						errhint("Call it with the document alone.")));
	if (kind == HX_INPUT_TEXT)
		return TEXTOID;
	if (kind == HX_INPUT_REALS)
		return get_array_type(ARR_ELEMTYPE(PG_GETARG_ARRAYTYPE_P(1)));
	return get_fn_expr_argtype(fcinfo->flinfo, 1);
}

/* The code of the document in argument 1, NULL if it is too short */
static Datum
encode_document(FunctionCallInfo fcinfo, const HxModel *model, Oid type)
{
	Bincode *code = HxEncodeWords(model, PG_GETARG_DATUM(1), type);

	if (code == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BINCODE(code);
}

/* The vector of the document in argument 1, NULL if it is too short */
static Datum
project_document(FunctionCallInfo fcinfo, const HxModel *model, Oid type)
{
	ArrayType *array = HxProjectWords(model, PG_GETARG_DATUM(1), type);

	if (array == NULL)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(array);
}

/* Encode argument 1 with the model in argument 0 */
static Datum
encode(FunctionCallInfo fcinfo, HxInputType kind, Third third)
{
	const HxModel *model;
	int count;
	int view;
	Bincode *code;
	double *y;

	model = HxModelArgument(fcinfo, 0);
	if (model->method == HX_METHOD_PQ)
		PG_RETURN_BINCODE(encode_words(fcinfo, kind, third, model));
	if (model->method == HX_METHOD_PVDBOW)
		return encode_document(fcinfo, model,
							   document_type(fcinfo, kind, third));
	y = compute(fcinfo, kind, third, "codes", &model, &count, &view);
	if (model->output != HX_OUT_CODE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder makes vectors, not codes"),
						errhint("Use hashemb_project.")));
	if (view == HX_VIEW_QUERY)
		hx_fit_levels(y, (uint32_t) count, model->bits);
	code = HxNewBincode(count, model->bits);
	hx_kernels->steps->code(y, count, model->bits, code->data,
							HX_PLANE_BYTES(count));
	PG_RETURN_BINCODE(code);
}

/* hashemb_encode(model, array [, view]) */
Datum
hx_encode_array(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_REALS, VIEW_NUMBER);
}

/* hashemb_encode(model, svec [, view]) */
Datum
hx_encode_svec(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_SVEC, VIEW_NUMBER);
}

/* hashemb_encode(model, text [, view]): what untyped literals come to */
Datum
hx_encode_text(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_TEXT, VIEW_NUMBER);
}

/* hashemb_encode(model, array, name of a view) */
Datum
hx_encode_array_as(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_REALS, VIEW_NAME);
}

/* hashemb_encode(model, svec, name of a view) */
Datum
hx_encode_svec_as(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_SVEC, VIEW_NAME);
}

/* hashemb_encode(model, text, name of a view) */
Datum
hx_encode_text_as(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_TEXT, VIEW_NAME);
}

/* The numbers that encoding rounds to levels */
static Datum
project(FunctionCallInfo fcinfo, HxInputType kind, Third third)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);
	int count;
	int view;
	double *y;

	if (model->method == HX_METHOD_PVDBOW)
		return project_document(fcinfo, model,
								document_type(fcinfo, kind, third));
	y = compute(fcinfo, kind, third, "projections", &model, &count, &view);
	PG_RETURN_ARRAYTYPE_P(HxMakeReals(y, count));
}

/* hashemb_project(model, array [, view]) */
Datum
hx_project_array(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_REALS, VIEW_NUMBER);
}

/* hashemb_project(model, svec [, view]) */
Datum
hx_project_svec(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_SVEC, VIEW_NUMBER);
}

/* hashemb_project(model, text [, view]): what untyped literals come to */
Datum
hx_project_text(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_TEXT, VIEW_NUMBER);
}

/* hashemb_project(model, array, name of a view) */
Datum
hx_project_array_as(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_REALS, VIEW_NAME);
}

/* hashemb_project(model, svec, name of a view) */
Datum
hx_project_svec_as(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_SVEC, VIEW_NAME);
}

/* hashemb_project(model, text, name of a view) */
Datum
hx_project_text_as(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_TEXT, VIEW_NAME);
}

/* Error unless the code is one that the model could have made */
static void
check_code(const HxModel *model, const HxCode *code)
{
	if (model->output != HX_OUT_CODE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder makes vectors, not codes")));
	(void) HxMatchShapes(
		code->dims, code->planes, (int) model->dims, model->bits,
		"The code is the first, the encoder makes the second.", NULL);
}

/* hashemb_encode(model, tsvector) */
Datum
hx_encode_document(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);

	HxRequireModel(model, 1u << HX_MAP, HX_METHOD_PVDBOW, "codes of documents");
	return encode_document(fcinfo, model, TSVECTOROID);
}

/* hashemb_project(model, tsvector) */
Datum
hx_project_document(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);

	HxRequireModel(model, 1u << HX_MAP, HX_METHOD_PVDBOW,
				   "vectors of documents");
	return project_document(fcinfo, model, TSVECTOROID);
}

/* The level of a code in a dimension */
static int
level_of(const HxCode *code, int i)
{
	int level = 0;

	for (int p = 0; p < code->planes; p++)
		level = level << 1 | HxGetBit(code->data + p * code->plane_bytes, i);
	return level;
}

/* The numbers that a code of a codebook stands for: its words, joined */
static double *
decode_words(const HxBooks *books, const HxCode *code)
{
	uint32_t *word = palloc(books->count * sizeof(uint32_t));
	double *y = palloc(books->width * sizeof(double));

	for (uint32 i = 0; i < books->count; i++)
		word[i] = (uint32_t) level_of(code, (int) i);
	hx_join_words(books, word, books->count, y);
	return y;
}

/* The numbers that a code stands for: the middles of its levels */
static double *
decode_levels(const HxModel *model, const HxCode *code)
{
	double middle = (double) (1 << (model->bits - 1)) - 0.5;
	double *y = palloc(model->dims * sizeof(double));

	for (int i = 0; i < (int) model->dims; i++)
		y[i] = level_of(code, i) - middle;
	return y;
}

/*
 * hashemb_decode(model, code [, view]): a vector with that code, the nearest to
 * the centre; of a codebook, what its words say
 */
Datum
hx_decode(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);
	HxCode code = PG_GETARG_CODE(1);
	double *y;
	double *x;
	int view;

	if (model->method != HX_METHOD_PQ)
		HxRequireModel(model, HX_VECTOR_FAMILIES, 0, "codes");
	view = view_argument(fcinfo, VIEW_NUMBER, model);
	check_code(model, &code);
	y = model->family == HX_CODEBOOK ? decode_words(&model->books, &code)
									 : decode_levels(model, &code);
	x = HxDecodeView(model, view, y);
	PG_RETURN_ARRAYTYPE_P(
		HxMakeReals(x, (int) hx_view_width(&model->view[view])));
}
