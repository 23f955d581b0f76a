export { GitLabApi } from './gitlab-api';
export { GitLabState } from './state';
export type { GitLabIssue, GitLabMergeRequest, GitLabNote, GitLabProject, GitLabStatus } from './state';
