// The charts of a report.
#pragma once

#include <vector>

#include "report/drawing.h"
#include "report/report_data.h"

namespace smearscope::training {

// Training and validation loss by step; means over as many rows of the log as keeps the lines readable. Needs
// a run with a log.
Drawing loss_chart(const ReportData& data);

// AP of each class, a disc for each run, hollow ones for the paper's R2 where it has the class.
Drawing class_chart(const ReportData& data);

// Precision over recall, labels as told: means over the classes at IoU .5 and .75; each class at IoU .5.
Drawing mean_precision_recall(const ReportData& data);
Drawing class_precision_recall(const ReportData& data);

// Of one run: rows what is labelled, columns what was found. Classes without either are left out.
Drawing confusion_chart(const ReportData& data, std::size_t run);

// How far the number of cells found is off, in percent of those labelled, by class.
Drawing counts_chart(const ReportData& data);

// How many of the detections with a score are right, a plot for each run.
Drawing calibration_chart(const ReportData& data);

}  // namespace smearscope::training
