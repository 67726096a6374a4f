/*
 * ball_plan.h
 *	  What an index's cost estimate asks of a ball, or a bound.
 */
#ifndef HX_BALL_PLAN_H
#define HX_BALL_PLAN_H

#include "nodes/pathnodes.h"

#include "type/bound.h"

extern double HxEstimateReach(PlannerInfo *root, Node *ball, Oid code_type,
							  int32 typmod);
extern const HxBound *HxFindBound(PlannerInfo *root, Node *node, bool *never);
extern double HxEstimateBoundReach(PlannerInfo *root, Node *node, int32 typmod);

#endif /* HX_BALL_PLAN_H */
