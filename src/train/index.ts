export { answerLoss, type Batch, collate, type Example, stackPixels } from './batch.ts';
export { type StepReport, stepRng, type TrainConfig, train } from './loop.ts';
export { answers, exactMatch } from './metrics.ts';
export { copyLanguageToExperts, parameterGroups, type StageParts } from './stage.ts';
