/* UEFI variables: made from their template when they are missing, never overwritten. */
#ifndef LEDGER_VARFILE_H
#define LEDGER_VARFILE_H

#include "base/error.h"

/* 1: made, 0: it was there, -1: STATUS_CHECK. A half-made file is never seen. */
int varfile_make(const char *template, const char *path, struct error *err);

#endif
