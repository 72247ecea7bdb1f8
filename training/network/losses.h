// The four losses, from the heads' outputs and the samples that were drawn for them (torchvision: rpn.py,
// compute_loss; roi_heads.py, fastrcnn_loss). Means run over the samples of all `processes` (null: this one
// alone): each has its part of the losses, and the parts' sum is the whole batch's.
#pragma once

#include "network/faster_rcnn.h"
#include "network/heads.h"
#include "network/processes.h"
#include "network/targets.h"

namespace smearscope::training {

void rpn_losses(const RpnHeadImpl::Output& rpn, const RpnSamples& samples, Processes* processes,
                Losses& losses);

void box_head_losses(const BoxHeadImpl::Output& head, const RoiSamples& samples,
                     const ClassificationLoss& options, Processes* processes, Losses& losses);

}  // namespace smearscope::training
