// The tables of a report, those of the paper under its numbers. "–": there is no such figure.
#pragma once

#include "metrics/boxes.h"
#include "report/report_data.h"
#include "report/tables.h"

namespace smearscope::training {

using corpus::Table;

// Table II: a setting a row, a run a column; those in which the runs differ, and those that all share (as one
// column).
Table differing_settings(const ReportData& data);
Table shared_settings(const ReportData& data);

// Table III: COCO's twelve figures; how each further run differs from the first, where both know the
// same classes; the paper's where most of its classes are evaluated.
bool is_papers_task(const ReportData& data);
Table figures_table(const ReportData& data, metrics::Labels labels);

// Table IV: a class a row, with its boxes to train and in the part; one of COCO's figures in each run, how it
// differs from the first. The last row are the means over the classes that all runs (and the paper, where it
// is there: with AP only) have.
Table class_table(const ReportData& data, metrics::Labels labels, double metrics::CocoFigures::*figure);

// Table V: rare classes, and those that no run finds: AP50 below 0.1.
Table rare_table(const ReportData& data);

// Tables VI and VII: training and validation loss of epochs 1, 5, 10, ... and the last of each run.
Table loss_table(const ReportData& data);

// Cells counted against cells labelled, a class a row.
Table counts_table(const ReportData& data);

// Expected calibration error and the best score threshold of each class.
Table thresholds_table(const ReportData& data);

}  // namespace smearscope::training
