export { actionWorkflow } from './action.workflow.ts';
