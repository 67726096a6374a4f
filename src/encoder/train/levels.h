/*
 * levels.h
 *	  Recurrent binarization: learning codes of several bits a dimension.
 *
 * Pure C over matrix.h.  The net is y = W x + V max(0, U x + c) + b, in units
 * of levels; the code's bits are found one after the other, each of what the
 * ones before leave of y.
 */
#ifndef HX_RBIN_H
#define HX_RBIN_H

#include "encoder/math/matrix.h"

/* A net: all matrices row after row, a row for each output */
typedef struct HxNet
{
	int inputs;
	int dims;		/* outputs */
	int bits;		/* a dimension */
	int hidden;		/* outputs of U, 0 for none */
	float *w;		/* dims x inputs */
	float *b;		/* dims */
	float *u;		/* hidden x inputs */
	float *c;		/* hidden */
	float *v;		/* dims x hidden */
	float *numbers; /* all of these in this order */
	size_t count;	/* of them */
} HxNet;

/* How to train one */
typedef struct HxNetTask
{
	const float *x;		   /* rows of inputs, as given */
	const float *mean;	   /* subtracted from these */
	const float *inverse;  /* of the rows' lengths; 0 for rows of zeros */
	const float *positive; /* a row for each, as given; or NULL: neighbours */
	const float *old; /* codes that a row had, around 0, length 1; or NULL */
	int rows;
	int batch; /* rows of a step, with positives */
	int group; /* of these, this many are neighbours of each other */
	int steps;
	double rate;		   /* of learning, relative to the weights */
	double sharpness;	   /* what cosines of rows are multiplied by */
	double code_sharpness; /* the same of codes */
	double old_weight;	   /* of the loss against old codes */

	/* Called after every `every` steps; training ends if it says no.  NULL: never */
	int (*go_on)(const HxNet *net, void *argument);
	void *argument;
	int every;
} HxNetTask;

/* Room for a net; numbers are not set */
extern HxNet hx_make_net(int inputs, int dims, int bits, int hidden);
extern void hx_free_net(HxNet *net);

/*
 * Outputs of n rows: y (n x dims); h is room for n x hidden numbers, which get
 * what U gives.
 */
extern void hx_apply_net(const HxNet *net, const float *x, int n, float *h,
						 float *y);

/* Train; returns the mean loss of the last tenth of the steps */
extern double hx_train_net(HxNet *net, const HxNetTask *task, HxRandom *random);

/*
 * One step of Adam (Kingma and Ba 2015) against a gradient: mean and square are
 * its memory, 0 before the first step, whose time is 1.
 */
extern void hx_descend(float *numbers, const float *gradient, float *mean,
					   float *square, size_t count, double rate, int time);

#endif /* HX_RBIN_H */
