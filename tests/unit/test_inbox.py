"""Records wait in order, a batch is cut to size, and epochs of one partition are told apart."""

import random

import pytest
from confluent_kafka import Message

from kherd.worker.board import Board
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.inbox import Inbox, Run
from kherd.worker.partition import Partition
from kherd.worker.partitions import Partitions

from ..fakes.consumer import TOPIC


@pytest.fixture
def writer(board: Board) -> BoardWriter:
    return BoardWriter(board)


def messages(partition: Partition, *offsets: int) -> list[Message]:
    return [Message(topic=TOPIC, partition=partition.number, offset=offset, value=b"xy") for offset in offsets]


def test_two_assignments_of_a_partition_never_have_the_same_nonce(writer: BoardWriter) -> None:
    random.seed(1)
    partitions = Partitions(writer)
    first = partitions.open((TOPIC, 0)).metadata
    partitions.forget((TOPIC, 0))
    random.seed(1)  # forked workers share the state of a preloaded module's generator
    assert partitions.open((TOPIC, 0)).metadata != first


def test_the_inbox_cuts_a_batch_to_size_and_keeps_the_order(writer: BoardWriter) -> None:
    one = Partition(TOPIC, 1, 5, writer)
    inbox = Inbox()
    inbox.append(Run(one, messages(one, 0, 1, 2)))
    inbox.append(Run(one, messages(one, 3, 4)))
    assert (inbox.records, inbox.bytes) == (5, 10)
    taken = inbox.take_batch(4)
    assert [message.offset() for run in taken for message in run.messages] == [0, 1, 2, 3]
    inbox.put_back(taken)
    assert (inbox.records, inbox.bytes, len(inbox.take().messages)) == (5, 10, 3)


def test_what_is_to_be_rerun_singly_is_never_mixed_with_anything(writer: BoardWriter) -> None:
    one = Partition(TOPIC, 1, 5, writer)
    inbox = Inbox()
    inbox.append(Run(one, messages(one, 7)))
    inbox.put_back([Run(one, messages(one, 1, 2, 3), singly=True), Run(one, messages(one, 4), singly=True)])
    assert [len(run.messages) for run in inbox.take_batch(2)] == [3]
    assert [len(run.messages) for run in inbox.take_batch(2)] == [1]
    assert [run.singly for run in inbox.take_batch(2)] == [False]
