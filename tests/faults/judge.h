/* What must hold after a run with a failing call, and after the start that follows. */
#ifndef FAULTS_JUDGE_H
#define FAULTS_JUDGE_H

#include "scenario.h"

void judge_control(const char *word, int status, struct words *complaints);
void judge_faulty(const struct scenario *s, const struct faults_page *page, struct outcome *o);
void judge_next(int status, struct words *complaints);

#endif
