/** Training with files: saved runs, and stages that go on from them (Node only). */

export { runStages, type Stage, type StageRecord, type StageReport } from './runStages.ts';
export { loadRun, SavedRunError, savedNote, saveRun } from './savedRun.ts';
