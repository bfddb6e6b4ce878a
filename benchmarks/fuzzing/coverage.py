"""Which parts of our own code ran: modules that are imported after `install` note every block that they enter.

A statement is put at the head of each block, and a call before each operand that may be left out, so that tracing costs
what runs and no more: a tracer of the interpreter's would take several times as long.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

NOTE = "_note_block"
BLOCKS = ("body", "orelse", "finalbody")


class Coverage:
    """blocks: those entered since it was last cleared. size: how many there are, of all modules so far."""

    def __init__(self, rooms: Sequence[str]) -> None:
        self.blocks: set[int] = set()
        self.size = 0
        self._rooms = tuple(rooms)

    def install(self) -> None:
        """For modules of these rooms that nobody has imported yet."""
        sys.meta_path.insert(0, _Finder(self))

    def traces(self, name: str) -> bool:
        return any(name == room or name.startswith(f"{room}.") for room in self._rooms)

    def take(self) -> frozenset[int]:
        """The blocks since the last time."""
        found = frozenset(self.blocks)
        self.blocks.clear()
        return found


class _Finder(MetaPathFinder):
    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not self._coverage.traces(name):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path, self._coverage)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, coverage: Coverage) -> None:
        super().__init__(name, path)
        self._coverage = coverage

    def get_code(self, fullname: str) -> CodeType:
        tree = _Noting(self._coverage).visit(ast.parse(self.get_data(self.path)))
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, NOTE, self._coverage.blocks.add)
        super().exec_module(module)


class _Noting(ast.NodeTransformer):
    """Of functions alone: what a module does when it is imported says nothing of an input."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._depth += 1
        self._note_blocks(node)
        node.body = [self.visit(part) for part in node.body]
        self._depth -= 1
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if self._depth and isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            self._note_blocks(node)
        return super().generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        depth, self._depth = self._depth, 0
        super().generic_visit(node)
        self._depth = depth
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self._depth:
            node.values[1:] = [self._noted(value) for value in node.values[1:]]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if self._depth:
            node.body, node.orelse = self._noted(node.body), self._noted(node.orelse)
        return node

    def _note_blocks(self, node: ast.AST) -> None:
        """Also after a statement with branches, which says that it came to its end."""
        for name in BLOCKS:
            block: Any = getattr(node, name, None)
            if not isinstance(block, list) or not block or isinstance(node, ast.ClassDef):
                continue
            noted: list[ast.stmt] = [ast.Expr(self._call())]
            for place, statement in enumerate(block):
                noted.append(statement)
                if isinstance(statement, ast.If | ast.For | ast.While | ast.Try) and place + 1 < len(block):
                    noted.append(ast.Expr(self._call()))
            setattr(node, name, noted)

    def _noted(self, value: ast.expr) -> ast.expr:
        return ast.BoolOp(ast.Or(), [self._call(), value])

    def _call(self) -> ast.Call:
        self._coverage.size += 1
        return ast.Call(ast.Name(NOTE, ast.Load()), [ast.Constant(self._coverage.size)], [])
