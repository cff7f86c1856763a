"""Which cells `nbtest.py --fast` leaves out: those with the flag `model` or `long`, and what reads names of theirs.

`#| model`: the cell reads the default model. `#| long`: it does without, but takes more than a few seconds.
`#| model tok`: the cell binds the tokenizer as `tok`, and `--fast` gives the default model's tokenizer that name.
The imports at a cell's top level need no model, and are run even where the cell is left out.
"""
import ast
import copy
import symtable
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager

flags = {'model', 'long'}
mutators = {'append', 'extend', 'insert', 'add', 'update', 'setdefault', 'pop', 'remove', 'discard', 'clear'}
compound = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.ExceptHandler, ast.Match, ast.match_case)
functions = (ast.FunctionDef, ast.AsyncFunctionDef)
imports = (ast.Import, ast.ImportFrom)


@dataclass
class Names:
    "Of some statements: what they read before they bind it, what they bind, what they change in place"
    reads: set = field(default_factory=set)
    binds: set = field(default_factory=set)
    changes: set = field(default_factory=set)


class ComprehensionsAsFunctions(ast.NodeTransformer):
    "`[f(a) for a in b if c]` → `(lambda a: (f(a), c))(b)`, which has the same outer names in every version of Python"
    def visit(self, node):
        self.generic_visit(node)
        loops = getattr(node, 'generators', None)
        if not loops:
            return node
        targets = {o.id: ast.arg(o.id) for loop in loops for o in ast.walk(loop.target) if isinstance(o, ast.Name)}
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        parts += [o for loop in loops for o in loop.ifs]+[loop.iter for loop in loops[1:]]
        args = ast.arguments(posonlyargs=[], args=[*targets.values()], kwonlyargs=[], kw_defaults=[], defaults=[])
        return ast.Call(ast.Lambda(args, ast.Tuple(parts, ast.Load())), [loops[0].iter], [])


def tables(table):
    yield table
    for o in table.get_children():
        yield from tables(o)


def outer_names(node):
    "The global names that `node` reads, and those that it binds; a function's own names are not among them"
    statement = isinstance(node, ast.stmt)
    module = ast.Module([node], []) if statement else ast.Expression(node)
    module = ComprehensionsAsFunctions().visit(copy.deepcopy(module))
    source = ast.unparse(ast.fix_missing_locations(module))
    reads,binds = set(),set()
    for table in tables(symtable.symtable(source, 'cell', 'exec' if statement else 'eval')):
        top = table.get_type()=='module'
        for o in table.get_symbols():
            outer = top or o.is_global()
            bound = o.is_assigned() or o.is_imported() or o.is_namespace()
            if outer and o.is_referenced():
                reads.add(o.get_name())
            if bound and (top or o.is_declared_global()):
                binds.add(o.get_name())
    return reads,binds


def root_name(node):
    "The name that `a.b[c].d` begins with"
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def changed_in_place(node):
    "The names whose objects a statement changes: `a[i] = …`, `a.b = …`, `a.append(…)`"
    found = set()
    for o in ast.walk(node):
        if isinstance(o, (ast.Attribute, ast.Subscript)) and not isinstance(o.ctx, ast.Load):
            found.add(root_name(o))
        if isinstance(o, ast.Call) and isinstance(o.func, ast.Attribute) and o.func.attr in mutators:
            found.add(root_name(o.func))
    return found-{None}


def parts(node):
    "A compound statement's own expressions in the order of their evaluation, and the statements inside it"
    inside = [o for name in ('body', 'handlers', 'orelse', 'finalbody', 'cases') for o in getattr(node, name, [])]
    own = [o for o in ast.iter_child_nodes(node) if o not in inside]
    return sorted(own, key=lambda o: isinstance(getattr(o, 'ctx', None), ast.Store)),inside


def own_names(node):
    "As `outer_names`, for a part of a compound statement: `a as b`, a pattern, what a `for` binds"
    nothing = [ast.Pass()]
    if isinstance(node, ast.withitem):
        reads,binds = outer_names(ast.With([node], nothing))
        return reads-binds,binds
    if isinstance(node, ast.pattern):
        return outer_names(ast.Match(ast.Constant(0), [ast.match_case(node, body=nothing)]))
    if isinstance(getattr(node, 'ctx', None), ast.Store):
        return outer_names(ast.For(node, ast.Tuple([], ast.Load()), nothing, []))
    return outer_names(node)


def scan_compound(node, known):
    found = Names()
    own,inside = parts(node)
    for o in own:
        reads,binds = own_names(o)
        found.reads |= reads-known-found.binds
        found.binds |= binds
        found.changes |= changed_in_place(o)
    if isinstance(node, ast.ExceptHandler) and node.name:
        found.binds.add(node.name)
    inner = scan(inside, known|found.binds)
    return Names(found.reads|inner.reads, found.binds|inner.binds, found.changes|inner.changes)


def scan_simple(node, known):
    reads,binds = outer_names(node)
    if isinstance(node, ast.AugAssign):
        reads = reads|{root_name(node.target)}
    if isinstance(node, functions):
        reads = reads-binds         # a function that calls itself
    return Names(reads-known, binds, changed_in_place(node))


def scan(statements, known=frozenset()):
    "`Names` of statements that are run one after the other, where `known` is bound already"
    found = Names()
    for node in statements:
        inner = (scan_compound if isinstance(node, compound) else scan_simple)(node, known|found.binds)
        found.reads |= inner.reads
        found.binds |= inner.binds
        found.changes |= inner.changes
    return found


def statements_of(source):
    return ast.parse(TransformerManager().transform_cell(source)).body


def cell_names(source):
    "`Names` of a cell's source; what a function in it reads may be bound anywhere in it, since it is called later"
    statements = statements_of(source)
    found = scan(statements)
    at_once = scan([o for o in statements if not isinstance(o, functions)]).reads
    found.reads = {o for o in found.reads if o in at_once or o not in found.binds}
    return found


def imports_of(source):
    "The import statements at the top level of a cell, and whether it has nothing else"
    statements = statements_of(source)
    found = [o for o in statements if isinstance(o, imports)]
    return '\n'.join(map(ast.unparse, found)),len(found)==len(statements)


def leave_out(cells):
    "Indices of the code cells to run and of those to leave out, and the names that shall be the tokenizer"
    run,out,lost,tokenizer = [],[],set(),set()
    for c in cells:
        names = cell_names(c.source)
        if flags & c.directives_.keys() or names.reads & lost:
            given = set(c.directives_.get('model', [])) & names.binds
            imported = cell_names(imports_of(c.source)[0]).binds
            out.append(c.idx_)
            tokenizer |= given
            lost |= names.binds|names.changes
            lost -= given|imported
        else:
            run.append(c.idx_)
            lost -= names.binds
    return run,out,tokenizer
