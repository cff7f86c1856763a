"""Build the site: every notebook a page, in the order of their numbers, and the reference from docments.

Pages are made from the notebooks as saved, nothing is run and the package is not imported, so an environment with the
extra `docs` is enough. Formulas become MathML. Then the links of the built pages are checked, and the script closes on
what it found. `docs.py FOLDER` builds into FOLDER (default: _docs).
"""
import ast
import html
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import nbformat
import yaml
from latex2mathml.converter import convert
from nbconvert import MarkdownExporter

root = Path(__file__).resolve().parents[2]
config = root/'.github'/'docs'
folders = {'': 'notebooks', 'tutorials': 'tutorials'}       # in nbs/ → on the site


# ---- notebooks ----

def flags(cell):
    return re.findall(r'^\s*#\|\s*(.+?)\s*$', cell.source, re.M) if cell.cell_type=='code' else []


def shown(cell):
    "Whether a reader should see a cell"
    found = flags(cell)
    return 'hide' not in found and not any(f.startswith('default_exp') for f in found)


def formulas(text):
    "Formulas in a Markdown text as MathML, outside of code"
    def put(m):
        if m['code']:
            return m['code']
        block = m['block'] is not None
        tex = m['block'] if block else m['inline']
        made = convert(tex.strip(), display='block' if block else 'inline').replace('\n', ' ')
        made = made.replace('>\\{<', '>{<').replace('>\\}<', '>}<')         # large braces keep their backslash
        return re.sub(r'<msup>(<mi>\w</mi>)<mi>&#x02032;</mi></msup>', r'\1<mo rspace="0">&#x02032;</mo>', made)
    code = r'(?P<code>```.*?```|`[^`\n]+`|\\\$)'
    block = r'\$\$(?P<block>.+?)\$\$'
    inline = r'(?<![\w$])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$])?)\$(?![\w$])'
    return re.sub(f'{code}|{block}|{inline}', put, text, flags=re.S)


def linked(text, here, pages):
    "Links to notebooks, and names of notebooks in backticks, as links between pages"
    def link(m):
        name = m[2].removesuffix('.ipynb').removeprefix('nbs/').removeprefix('../')
        found = pages.get(name.rsplit('/', 1)[-1])
        return f'[{m[1]}]({up(here)}{found})' if found else m[0]
    text = re.sub(r'\[([^\]]+)\]\(([\w./]+\.ipynb)\)', link, text)
    def named(m):
        name = m[1].rsplit('/', 1)[-1]
        return f'[`{m[1]}`]({up(here)}{pages[name]})' if name in pages else m[0]
    return re.sub(r'(?<!\[)`((?:tutorials/)?[\w]+)`(?!\])', named, text)


def up(here):
    return '../' if here else ''


# Outputs of text stand between fences: Markdown looks for HTML in lines that are merely indented, and trips over `<![`
fenced = """{%- extends 'markdown/index.md.j2' -%}
{% block stream %}
````text
{{ output.text.rstrip() }}
````
{% endblock stream %}
{% block data_text scoped %}
````text
{{ output.data['text/plain'].rstrip() }}
````
{% endblock data_text %}
"""


def page_of(file, here, pages, out):
    "Write the page of a notebook, and its pictures"
    nb = nbformat.read(file, as_version=4)
    nb.metadata['language_info'] = {'name':'python'}
    nb.cells = [c for c in nb.cells if shown(c)]
    for c in nb.cells:
        if c.cell_type=='markdown':
            c.source = linked(formulas(c.source), here, pages)
            continue
        found = flags(c)
        c.source = re.sub(r'^\s*#\|.*\n?', '', c.source, flags=re.M)
        if 'echo: false' in found:
            c.source = ''
        if 'output: false' in found:
            c.outputs = []
    exporter = MarkdownExporter(raw_template=fenced)
    names = dict(unique_key=file.stem, output_files_dir=f'{file.stem}_files')
    text,resources = exporter.from_notebook_node(nb, resources=names)
    text = re.sub(r'```python\n+```\n', '', text)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    for name,data in resources['outputs'].items():
        (out.parent/name).parent.mkdir(parents=True, exist_ok=True)
        (out.parent/name).write_bytes(data)


def title(file):
    "The first heading of a notebook"
    nb = nbformat.read(file, as_version=4)
    return next(m[1] for c in nb.cells if (m := re.match(r'#\s+(.+)', c.source)))


# ---- reference ----

def comments(source):
    "line → comment in it"
    return {t.start[0]: t.string.lstrip('# ').strip()
            for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type==tokenize.COMMENT}


def cell(text):
    return html.escape(text, quote=False).replace('|', '\\|').replace('\n', ' ')


def rows(items):
    lines = [f'| `{name}` | {f"`{kind}`" if kind else ""} | {f"`{default}`" if default else ""} | {cell(said)} |'
             for name,kind,default,said in items]
    return '\n'.join(['| | type | default | |', '|---|---|---|---|', *lines]) if lines else ''


def parameters(f, said):
    "(name, type, default, docment) of each parameter"
    a = f.args
    named = [*a.posonlyargs, *a.args]
    defaults = [None]*(len(named)-len(a.defaults))+a.defaults
    res = list(zip(named, defaults))
    if a.vararg:
        res.append((a.vararg, None))
    res += list(zip(a.kwonlyargs, a.kw_defaults))
    if a.kwarg:
        res.append((a.kwarg, None))
    stars = {id(a.vararg): '*', id(a.kwarg): '**'}
    return [(stars.get(id(p), '')+p.arg, p.annotation and ast.unparse(p.annotation), d is not None and ast.unparse(d),
             said.get(p.end_lineno if d is None else d.end_lineno, ''))
            for p,d in res if p.arg not in ('self','cls')]


def function_text(f, said, level=3):
    "The reference of a function"
    parts = [f'{"#"*level} `{f.name}`', cell(ast.get_docstring(f) or ''), rows(parameters(f, said))]
    if f.returns:
        about = said.get(f.returns.end_lineno)
        parts.append(f'Returns `{ast.unparse(f.returns)}`{f": {about}" if about else ""}.')
    return '\n\n'.join(p for p in parts if p)


def fields(c, said):
    "(name, type, default, docment) of a dataclass's fields"
    own = [s for s in c.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]
    return [(s.target.id, ast.unparse(s.annotation), s.value is not None and ast.unparse(s.value),
             said.get(s.end_lineno, '')) for s in own]


def patched(f):
    "The class that a function is patched onto, or None"
    names = [ast.unparse(d) for d in f.decorator_list]
    first = next(iter(f.args.args), None)
    on = any(n.startswith('patch') for n in names) and first is not None and first.annotation is not None
    return ast.unparse(first.annotation) if on else None


def class_text(c, tree, said):
    "The reference of a class: fields, and the methods that have a docstring"
    bases = ', '.join(map(ast.unparse, c.bases))
    res = [f'### `{c.name}`\n\n{f"*{bases}*. " if bases else ""}{cell(ast.get_docstring(c) or "")}']
    table = rows(fields(c, said))
    if table:
        res.append(table)
    own = [f for f in c.body if isinstance(f, ast.FunctionDef)]
    later = [f for f in tree.body if isinstance(f, ast.FunctionDef) and patched(f)==c.name]
    for f in own+later:
        public = f.name in ('__init__','__call__') or not f.name.startswith('_')
        if public and (ast.get_docstring(f) or f.name=='__init__') and parameters(f, said)+[f.name]!=['__init__']:
            res.append(function_text(f, said, level=4).replace('#### `', f'#### `{c.name}.', 1))
    return '\n\n'.join(res)


def reference(file, pages):
    "The page of a module, None where nothing of it is public; and its name"
    source = file.read_text()
    tree = ast.parse(source)
    said = comments(source)
    notebook = re.search(r'File to edit: \S*?([\w]+)\.ipynb', source)
    public = next((ast.literal_eval(s.value) for s in tree.body if isinstance(s, ast.Assign)
                   and getattr(s.targets[0], 'id', '')=='__all__' and isinstance(s.value, ast.List)), [])
    name = '.'.join(file.relative_to(root).with_suffix('').parts)
    parts = [f'# {name}', ast.get_docstring(tree) or '']
    if notebook and notebook[1] in pages:
        parts.append(f'Told in [{notebook[1]}](../{pages[notebook[1]]}).')
    for s in tree.body:
        if isinstance(s, ast.FunctionDef) and s.name in public and not patched(s):
            parts.append(function_text(s, said))
        if isinstance(s, ast.ClassDef) and s.name in public:
            parts.append(class_text(s, tree, said))
    return name, '\n\n'.join(parts)+'\n' if len(parts)>3 else None


# ---- the site ----

def number(file):
    return [int(o) if o.isdigit() else o for o in re.split(r'(\d+)', file.stem)]


def write_pages(docs):
    "All pages, as files of Markdown; returns the navigation"
    files = {folder: sorted((root/'nbs'/folder).glob('*.ipynb'), key=number) for folder in folders}
    pages = {f.stem: f'{folders[folder]}/{f.stem}.md' for folder,some in files.items() for f in some}
    pages['index'] = 'index.md'
    nav = [{'Home': 'index.md'}]
    parts = {'notebooks': [], 'tutorials': []}
    for folder,some in files.items():
        for f in some:
            page = pages[f.stem]
            page_of(f, page.count('/'), pages, docs/page)
            if f.stem!='index':
                number_ = re.match(r'\d+[a-z]?', f.stem)
                parts[folders[folder]].append({f'{number_[0]} {title(f)}' if number_ else title(f): page})
    (docs/'reference').mkdir()
    modules = []
    for f in sorted(f for f in (root/'seka').rglob('*.py') if not f.name.startswith('_')):
        name,text = reference(f, pages)
        if text:
            (docs/'reference'/f'{name}.md').write_text(text)
            modules.append({name: f'reference/{name}.md'})
    (docs/'changelog.md').write_text((root/'CHANGELOG.md').read_text())
    shutil.copy(config/'seka.css', docs)
    for at in ('notebooks','nbs'):      # 31_page and README name the pictures so
        shutil.copytree(root/'nbs'/'images', docs/at/'images')
    return [*nav, {'Tutorials': parts['tutorials']}, {'Notebooks': parts['notebooks']}, {'Reference': modules},
            {'Changelog': 'changelog.md'}]


class Links(HTMLParser):
    "The ids and the targets in a page"
    def __init__(self):
        super().__init__()
        self.ids,self.targets = set(),[]

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.ids |= {a[o] for o in ('id','name') if a.get(o)}
        self.targets += [a[o] for o in ('href','src') if a.get(o)]


def broken(site):
    "(page, target) of each link in a site that leads nowhere, and how many there are in all, inside and outside"
    found = {}
    for f in site.rglob('*.html'):
        found[f.resolve()] = Links()
        found[f.resolve()].feed(f.read_text())
    wrong,inside,outside = [],0,0
    for page,links in found.items():
        if page.name=='404.html':
            continue
        for target in links.targets:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                outside += url.scheme in ('http','https')
                continue
            inside += 1
            at = (page.parent/unquote(url.path)).resolve() if url.path else page
            if at.is_dir():
                at = at/'index.html'
            known = at in found
            anchor = not url.fragment or not known or unquote(url.fragment) in found[at].ids|{'__codelineno'} \
                or url.fragment.startswith('__codelineno')
            if not at.exists() or not anchor:
                wrong.append((page.relative_to(site.resolve()), target))
    return wrong, inside, outside


def build(site):
    with TemporaryDirectory() as d:
        docs = Path(d)/'docs'
        docs.mkdir()
        settings = yaml.safe_load((config/'mkdocs.yml').read_text())
        settings |= dict(nav=write_pages(docs), docs_dir=str(docs), site_dir=str(site))
        (Path(d)/'mkdocs.yml').write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
        os.environ['NO_MKDOCS_2_WARNING'] = '1'       # settings.ini caps it below 2
        command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--quiet', '-f', f'{d}/mkdocs.yml']
        return subprocess.run(command, check=False).returncode


def main():
    site = Path(sys.argv[1] if len(sys.argv)>1 else root/'_docs').absolute()
    failed = build(site)
    if failed:
        sys.exit(failed)
    wrong,inside,outside = broken(site)
    for page,target in wrong:
        print(f'{page}: {target} leads nowhere')
    pages = len(list(site.rglob('*.html')))
    print(f'{pages} pages, {inside} links inside, {len(wrong)} broken; {outside} to other sites, not asked')
    sys.exit(bool(wrong))


if __name__=='__main__':
    main()
