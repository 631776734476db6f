import type { AlchemyConfig } from './types'

const config = {
	name: 'shop',
	resources: {
		api: { type: 'worker', script: './src/api.ts' },
		db: { type: 'd1' },
		files: { type: 'r2' }
	},
	profiles: {
		dev: { domain: 'dev.example.com' },
		prod: { domain: 'example.com' }
	}
} as const satisfies AlchemyConfig

export default config
