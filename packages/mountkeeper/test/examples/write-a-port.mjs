import test from 'node:test'
import { portTests, simulatedSubject } from '@mountkeeper/simulator/conformance'

for (const { law, name, run } of portTests({ host: () => simulatedSubject() })) test(`${law} ${name}`, run)
