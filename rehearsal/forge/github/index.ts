export { GitHubApi } from './github-api';
export { GitHubState } from './state';
export type { ForgeCheckRun, ForgeComment, ForgeInstallation, ForgePull, ForgeStatus, GitHubRepositoryState } from './state';
