export { answerLoss, type Batch, collate, type Example, layOut, picturesOf, stackPixels } from './batch.ts';
export { type LossAt, type StepReport, stepRng, type TrainConfig, train } from './loop.ts';
export { answers, exactMatch, exactMatches } from './metrics.ts';
export { copyLanguageToExperts, parameterGroups, type StageParts } from './stage.ts';
