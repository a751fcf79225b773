"""Lines of the product that are broken on purpose, and for each the test that must turn red.

A row changes one place of one file. What it takes away is a guard, a check or a wait that nobody would miss
until the day it is needed. What breaks in a running library, with kills and a disk that fails, stands in
`fault_sabotage`; what the evaluation must notice, in `evals.sabotage`; what the doctor, in `doctor_table`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sabotage:
    """A row.

    Attributes:
        name: What the broken product does.
        path: Of the file, from the project's folder.
        old: What stands there, once.
        new: What takes its place.
        test: What must turn red: a file of `tests`, or one test of it.
    """

    name: str
    path: str
    old: str
    new: str
    test: str


STORING = (
    Sabotage(
        "does not wait until a file is on the disk",
        "index/files.py",
        "            os.fsync(handle.fileno())\n",
        "",
        "test_index_files.py::test_content_is_complete_when_it_is_synchronised",
    ),
    Sabotage(
        "does not wait until a name is on the disk",
        "index/files.py",
        "        self.sync_folder(path.parent)\n",
        "",
        "test_index_files.py::test_an_atomic_write_synchronises_content_then_renames_then_synchronises_the_name",
    ),
    Sabotage(
        "takes the files of an index as they are",
        "index/reader.py",
        "        problem = self._stamps[name].fault(found)\n",
        "        problem = None\n",
        "test_index_built.py::test_every_flipped_bit_and_every_truncation_is_noticed",
    ),
    Sabotage(
        "skips the seal of a row",
        "index/store/schema.py",
        'return hashlib.sha256(b"".join(parts)).digest()',
        "return bytes(32)",
        "test_store_damage.py::test_every_column_is_sealed",
    ),
    Sabotage(
        "skips the checksum of vectors",
        "index/store/matrices.py",
        "if hashlib.sha256(data).digest() != sha256:",
        "if False:",
        "test_faults_flips.py::test_a_flip_is_noticed_exactly_where_something_is_read[some]",
    ),
    Sabotage(
        "opens a library without a look at its tables and indexes",
        "index/store/pages.py",
        "verify(connection) or tables_problem(connection) or",
        "verify(connection) or",
        "test_faults_flips.py::test_a_flip_in_what_leads_through_the_file_hides_nothing_and_spoils_nothing[some]",
    ),
    Sabotage(
        "writes into a library without a look at its pages",
        "index/store/opening.py",
        "                prove_pages(writer)\n",
        "",
        "test_faults_flips.py::test_a_page_in_use_that_is_listed_as_free_is_not_written_over",
    ),
    Sabotage(
        "leaves deleted text in free pages",
        "index/store/connections.py",
        '"secure_delete = ON"',
        '"secure_delete = OFF"',
        "test_store.py::test_removed_text_leaves_every_file",
    ),
    Sabotage(
        "lets two processes write",
        "index/store/lock.py",
        "    except BlockingIOError:\n        return False\n",
        "    except BlockingIOError:\n        return True\n",
        "test_store_processes.py::test_a_second_writer_is_refused_with_the_number_and_note_of_the_first",
    ),
    Sabotage(
        "puts a backup back unseen",
        "index/store/backup.py",
        "            finding = next(check(connection, backup.name), None)\n",
        "            finding = None\n",
        "test_store_backup.py",
    ),
)

ADMITTING = (
    Sabotage(
        "lets everybody in",
        "api/guards/auth.py",
        "if not self._keys.required:",
        "if True:",
        "test_auth.py::test_what_answers_from_the_corpus_needs_the_key",
    ),
    Sabotage(
        "skips the scope of a key",
        "api/guards/auth.py",
        '"" if key.allows(needed) else "scope_missing"',
        '""',
        "test_auth.py::test_who_may_not_ask_is_told_so_on_every_surface",
    ),
    Sabotage(
        "goes on accepting revoked keys",
        "api/keys/rings.py",
        " for each in stored if each.revoked_at is None}",
        " for each in stored}",
        "test_keys.py::test_created_and_revoked_while_the_server_runs",
    ),
    Sabotage(
        "lets a line end take a path past its row",
        "api/guards/middleware.py",
        'if scope["type"] == "http" and _CONTROL.search(scope["path"]):',
        "if False:",
        "test_auth.py::test_no_end_of_a_path_goes_past_the_key",
    ),
    Sabotage(
        "lets pages of other sites change documents",
        "api/guards/foreign_pages.py",
        "        return bool(origin) and not self._pages.hold",
        "        return False and not self._pages.hold",
        "test_foreign_pages.py::test_another_sites_page_is_refused",
    ),
    Sabotage(
        "counts nobody's requests",
        "api/guards/rate_limits.py",
        "        if not wait:\n",
        "        if True:\n",
        "test_rate_limits.py::test_what_is_refused_is_not_computed",
    ),
    Sabotage(
        "has no admission gate",
        "api/guards/limits.py",
        "        if not await self.gate.enter():\n",
        "        if await self.gate.enter() is None:\n",
        "test_limits.py::test_of_twenty_callers_two_run_eight_wait_ten_are_refused_at_once",
    ),
    Sabotage(
        "puts no path behind the gate",
        "api/app.py",
        "paths=(*routes_answers.PATHS, *routes_openai.PATHS, *routes_dify.PATHS),",
        "paths=(),",
        "test_api_answers.py",
    ),
    Sabotage(
        "takes a body of any size",
        "api/guards/limits.py",
        "            if len(body) > max_bytes:\n",
        "            if False:\n",
        "test_limits.py::test_a_declared_length_within_the_limit_is_not_believed",
    ),
    Sabotage(
        "waits for ever for half a body",
        "api/guards/limits.py",
        "anyio.fail_after(self.body_timeout_seconds)",
        "anyio.fail_after(6 + self.body_timeout_seconds)",
        "test_limits.py::test_a_half_sent_body_is_given_up",
    ),
    Sabotage(
        "lets an answer take as long as it likes",
        "api/observing/engine.py",
        "self._ends = clock() + seconds",
        "self._ends = clock() + 12 + seconds",
        "test_observing_engine.py::test_an_answer_that_takes_too_long_is_504",
    ),
    Sabotage(
        "takes broken Unicode",
        "rag/inputs.py",
        "if found := _LONE_SURROGATE.search(text):",
        "if found := None:",
        "test_inputs.py::test_refused",
    ),
    Sabotage(
        "lets the last of two equal keys win",
        "api/wire/strict_json.py",
        "    if len(result) < len(pairs):\n",
        "    if False:\n",
        "test_api_bad_input.py::test_bad_body",
    ),
    Sabotage(
        "keeps the path in the name of an upload",
        "rag/labels.py",
        '    last = next(reversed(_components(_SEPARATORS.split(name))), "")\n',
        '    last = "/".join(_components(_SEPARATORS.split(name)))\n',
        "test_uploads.py::test_any_name_becomes_a_label_and_a_label_stays",
    ),
    Sabotage(
        "logs the question",
        "api/observing/engine.py",
        "        self._metrics.count_answer(answer)\n",
        "        self._metrics.count_answer(answer)\n"
        '        __import__("logging").getLogger("api").warning("%s", question)\n',
        "test_observing_process.py::test_the_log_holds_ids_and_no_text",
    ),
    Sabotage(
        "logs the address with what stands in it",
        "api/observing/middleware.py",
        "method_of(scope), template_of(scope)",
        'method_of(scope), scope["path"]',
        "test_observing_process.py::test_the_log_holds_ids_and_no_text",
    ),
)

SHOWING = (
    Sabotage(
        "does not escape what stands in a page",
        "api/pages/rendering.py",
        "autoescape=True",
        "autoescape=False",
        "test_api_pages.py::test_what_stands_in_a_document_is_text_on_its_page",
    ),
    Sabotage(
        "sends no security headers",
        "api/guards/middleware.py",
        "                    headers[name] = value\n",
        "                    del name, value\n",
        "test_middleware.py::test_security_headers_are_on_every_reply",
    ),
    Sabotage(
        "does not check a finished citation",
        "rag/answering/citations.py",
        "    verify(citation, document.source.text)\n",
        "",
        "test_gate.py::test_a_source_that_does_not_hold_the_quote_is_not_cited",
    ),
    Sabotage(
        "checks the characters of a citation and not its lines",
        "rag/answering/citations.py",
        "    if (first, last) != (citation.start_line, citation.end_line):\n",
        "    if False:\n",
        "test_citations.py::test_a_line_off_by_one_is_refused",
    ),
    Sabotage(
        "shows sentences that nothing supports",
        "rag/answering/support.py",
        "            if not problem:\n                return Support",
        "            if True:\n                return Support",
        "test_injected_passages.py::test_what_is_invented_reaches_nobody",
    ),
    Sabotage(
        "does not compare the numbers of a paraphrase",
        "rag/answering/support.py",
        "        number_problem(claim, whole)\n",
        '        ""\n',
        "test_gate.py test_support.py",
    ),
    Sabotage(
        "searches documents that a filter leaves out",
        "rag/corpus.py",
        "if name in wanted]",
        "if wanted is not None]",
        "test_engine_living.py::test_a_filter_lets_through_what_matches_and_nothing_else",
    ),
)

MODELS = (
    Sabotage(
        "does not escape the delimiters of a prompt",
        "rag/llm/prompting.py",
        "_DELIMITER_LIKE.sub(",
        "(lambda _, kept: kept)(",
        "test_llm_injections.py::test_none_gets_out_of_its_wrapper",
    ),
    Sabotage(
        "leaves marks in passages",
        "rag/llm/prompting.py",
        '(without := _MARK_LIKE.sub("", text))',
        "(without := text)",
        "test_llm_prompting.py::test_texts_as_data",
    ),
    Sabotage(
        "uses the same delimiter for every request",
        "rag/llm/openai.py",
        "        nonce = self._nonce()\n",
        '        nonce = "0000"\n',
        "test_llm_openai.py::test_each_request_has_its_own_nonce",
    ),
    Sabotage(
        "follows redirects of a model's server",
        "rag/llm/endpoint.py",
        "follow_redirects=False",
        "follow_redirects=True",
        "test_llm_chat_client.py::test_redirects_are_not_followed",
    ),
    Sabotage(
        "sends questions through the environment's proxy",
        "rag/llm/endpoint.py",
        "            trust_env=False,\n",
        "            trust_env=True,\n",
        "test_llm_chat_client.py::test_the_environments_proxies_are_not_used",
    ),
    Sabotage(
        "has no deadline for a model that drips",
        "rag/llm/waits.py",
        "self._end = clock() + self._total",
        "self._end = clock() + 60 * self._total",
        "test_llm_chat_client.py::test_every_wait_has_an_end",
    ),
    Sabotage(
        "reads a model's reply without end",
        "rag/llm/replies.py",
        "        if self._bytes > self._max_bytes:\n",
        "        if False:\n",
        "test_llm_replies.py::test_the_limit_on_bytes",
    ),
    Sabotage(
        "takes a stream that broke off for an answer",
        "rag/llm/chat_client.py",
        '    raise fault("generator_incomplete", "连接在答完之前结束")\n',
        "    return\n",
        "test_llm_chat_client.py::test_what_is_no_whole_answer",
    ),
    Sabotage(
        "unpacks what a model's server packed",
        "rag/llm/chat_client.py",
        'not in ("identity", ""):',
        "is None:",
        "test_llm_chat_client.py::test_packed_data_is_not_unpacked",
    ),
)

READING = (
    Sabotage(
        "unpacks an archive without end",
        "rag/converting/archives.py",
        "                    if len(unpacked) > min(most, self._left):\n",
        "                    if False:\n",
        "test_converting_attacks.py::test_attacks",
    ),
    Sabotage(
        "reads XML that declares entities",
        "rag/converting/markup.py",
        "    if root.getroottree().docinfo.internalDTD is not None:\n",
        "    if False:\n",
        "test_converting_attacks.py::test_attacks",
    ),
    Sabotage(
        "parses strangers' files unconfined",
        "rag/converting/child.py",
        "    confine(limits)\n",
        "",
        "test_converting_sandbox.py::test_the_child_of_the_service_lives_within_its_limits",
    ),
    Sabotage(
        "reads a file for as long as it takes",
        "rag/converting/sandbox.py",
        "deadline = time.monotonic() + limits.seconds",
        "deadline = time.monotonic() + 12",
        "test_converting_sandbox.py::test_a_child_that_does_not_end_is_killed",
    ),
    Sabotage(
        "carries the key wherever a redirect leads",
        "cewen/connection.py",
        '"follow_redirects": False',
        '"follow_redirects": True',
        "test_client_faults.py::test_faults",
    ),
    Sabotage(
        "lets an event of a stream grow without end",
        "cewen/sse.py",
        "            if self._size > self._max:\n",
        "            if False:\n",
        "test_client_sse.py::test_an_event_may_not_grow_without_end",
    ),
)

CHANGING = (
    Sabotage(
        "keeps the text of a job that was cancelled",
        "api/library/intake.py",
        "partial(self._withdraw, job_id)",
        "lambda: None",
        "test_library_cancelling.py::test_what_waits_is_gone_at_once_and_for_good",
    ),
    Sabotage(
        "calls off what is being written",
        "api/library/tasks.py",
        "            if self._decided:\n",
        "            if False:\n",
        "test_library_cancelling.py::test_a_text_that_is_being_written_is_not_called_off",
    ),
    Sabotage(
        "converts a file for nobody",
        "rag/converting/sandbox.py",
        " > 0 and not given_up():\n",
        " > 0:\n",
        "test_converting_sandbox.py::test_a_child_whose_text_nobody_wants_any_more_is_killed",
    ),
    Sabotage(
        "lets any number of removals wait in worker threads",
        "api/uploads/gate.py",
        'if scope["type"] != "http" or not is_other_change(scope):',
        "if True:",
        "test_api_jobs.py::test_removals_that_have_to_wait_leave_room_for_reading",
    ),
    Sabotage(
        "lets a key for writing end the work of an administrator",
        "api/routes/jobs.py",
        'and not key.allows("admin"):',
        "and False:",
        "test_api_jobs.py::test_whoever_may_begin_a_job_may_end_it",
    ),
)

TABLE = (*STORING, *ADMITTING, *SHOWING, *MODELS, *READING, *CHANGING)
