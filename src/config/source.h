/* The source of a document: its format, and the conversion of UCL to JSON. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stdbool.h>

#include "base/report.h"
#include "config/document.h"
#include "config/read.h"

bool source_is_stdin(const struct document_source *source);
/*
 * Reads the whole source.  *format becomes FORMAT_JSON, FORMAT_LUA or FORMAT_UCL; the text of UCL
 * is uclcmd's JSON, and uclcmd's remarks are logged.  On failure adds to the report, returns -1 and
 * leaves *out empty.
 */
int source_read(const struct document_source *source, const struct script_options *options,
    struct text_file *out, enum format *format, struct report *report);

#endif
