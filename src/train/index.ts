export { answerLoss, type Batch, collate, type Example, layOut, picturesOf, stackPixels } from './batch.ts';
export { type Dataset, examplesAt } from './dataset.ts';
export { Epochs } from './epochs.ts';
export { type EvaluateOptions, evaluate, type Score, scoreOf, shuffledControl } from './evaluate.ts';
export { type LossAt, type StepReport, type TrainConfig, train } from './loop.ts';
export { answers, exactMatch, exactMatches } from './metrics.ts';
export { copyLanguageToExperts, parameterGroups, type StageParts } from './stage.ts';
export { streamRng } from './streamRng.ts';
