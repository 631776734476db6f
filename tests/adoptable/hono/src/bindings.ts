export interface Bindings {
  LINKS: KVNamespace;
  DEFAULT_TARGET?: string;
}
