"""The library: collections of documents that come and go while others ask.

The store and the index know nothing of encoders and engines; this package joins them. Its modules, from the
bottom up (`tests/test_library_layers.py` has the levels); each imports only from those before it:

- `attempts`: what ended a process is not tried for ever.
- `cuts`: rows of texts, kept beside the index.
- `labelled`: questions that a person has labelled.
- `origins`: marks of folders that are synced.
- `memory`: what a start leaves behind is not looked through again.
- `preparing`: rows to vectors and terms.
- `probing`: an index from disk, asked for what it must find.
- `resolving`: what became of a cited place.
- `scratch`: vectors of a text on its way in, kept as they are made.
- `syncing`: what a folder's change asks for.
- `tasks`: a job that has not ended, and until when it can be called off.
- `job_states`: how jobs stand.
- `lanes`: which job begins next.
- `mirroring`: carries out what `syncing` plans.
- `snapshots`: one immutable state of a collection, and the next.
- `jobs`: work that takes its time, in threads of its own.
- `sizes`: how long a text is, and which lane it waits in.
- `folders`: the files of a folder, to be synced.
- `generations`: when the index goes to disk.
- `lookup`: ids and uploads, looked up in a snapshot.
- `storing`: between the store's records and a snapshot.
- `describing`: a snapshot as lists show it.
- `inheriting`: what is said of a source, said of its successor.
- `loading`: the state that the store holds, made searchable.
- `following`: how a reading process keeps up.
- `seeding`: the seeds folder, followed at each start.
- `current`: the state of a collection that requests take.
- `collection`: one corpus that lives.
- `correcting`: one collection's confidence, fitted to labelled questions.
- `intake`: texts accepted, then added by a job.
- `reindexing`: another encoder, swapped in whole.
- `shelf`: the collections of a store, by name.
- `reads`: what a library tells and does not change.
- `library`: the port that routes and commands use.
- `opening`: opens it.
- `at_rest`: what can be done to a library that is not loaded.
- `calibrating`: the command that calibrates, on this machine.
- `listing`: a list without loading anything.
- `maintenance`: backup, restore, check.
"""
