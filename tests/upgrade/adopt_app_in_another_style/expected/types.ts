export interface AlchemyConfig { name: string; resources: Record<string, { type: string; script?: string }>; profiles: Record<string, { domain?: string }> }
